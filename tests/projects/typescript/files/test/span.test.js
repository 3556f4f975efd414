import assert from 'node:assert/strict';
import { test } from 'node:test';
import { span } from '../dist/span.js';

test('says minutes', () => assert.equal(span(150), '2 min'));
