// Each scenario has two cores to itself: the real agent, a real sandbox and a forge.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
