namespace Drella.Core.Roles;

/// <summary>What an agent is told.</summary>
/// <param name="System">Who it is and what holds, added to its own system prompt.</param>
/// <param name="Text">What is asked now.</param>
/// <param name="AfterBreak">What is said before it when the run was broken off and the conversation goes on. The text is said again, because nobody knows whether it arrived.</param>
internal sealed record Prompt(string System, string Text, string AfterBreak);
