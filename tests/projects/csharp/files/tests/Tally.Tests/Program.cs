using System;
using System.Collections.Generic;
using Tally;

var tests = new Dictionary<string, Func<bool>>
{
    ["counts each word"] = () => WordCount.Of("a b a")["a"] == 2,
    ["an empty text has none"] = () => WordCount.Of("").Count == 0,
};
var failed = 0;
foreach (var (name, holds) in tests)
{
    var passed = holds();
    failed += passed ? 0 : 1;
    Console.WriteLine($"{(passed ? "passed" : "FAILED")}: {name}");
}

Console.WriteLine($"{tests.Count - failed} passed, {failed} failed");
return failed == 0 ? 0 : 1;
