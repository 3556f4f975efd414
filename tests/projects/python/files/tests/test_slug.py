import unittest

from slugs import slug


class SlugTest(unittest.TestCase):
    def test_dashes_for_spaces(self):
        self.assertEqual(slug("Two Words"), "two-words")
