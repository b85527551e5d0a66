package engine

import (
	"time"

	"go.temporal.io/sdk/worker"
)

// cachedRuns is how many runs stay in memory. Runs wait for people, mostly: 10,000 cached ones took 898 MiB, with 500 the
// same load took 224 MiB, and reading one again costs milliseconds.
const cachedRuns = 500

// WorkerOptions gives the settings for every worker of ours. Call it before the first worker starts: the cache is shared
// by all workers of the process and takes its size then. Deadlock detection (1 s per workflow task) stays as the SDK has it.
func WorkerOptions() worker.Options {
	worker.SetStickyWorkflowCacheSize(cachedRuns)
	return worker.Options{
		// Enough for a storm, little enough that every call still gets its share of a small machine and of the providers'
		// rate limits. What is above waits durably in the task queue.
		MaxConcurrentActivityExecutionSize:      200,
		MaxConcurrentLocalActivityExecutionSize: 200,
		MaxConcurrentWorkflowTaskExecutionSize:  100,

		// The defaults of 2 are soon all busy with answers; each idle poller costs one parked request.
		MaxConcurrentWorkflowTaskPollers: 8,
		MaxConcurrentActivityTaskPollers: 8,

		// A decision for a run that was cached by a dead worker waits this long before any worker gets it; the default is 5 s.
		StickyScheduleToStartTimeout: time.Second,

		// A heartbeat reaches the server at the latest after this: so a cancelled or lost call is noticed soon.
		MaxHeartbeatThrottleInterval:     2 * time.Second,
		DefaultHeartbeatThrottleInterval: time.Second,

		// Calls in flight may end before the process does; what does not is repeated elsewhere.
		WorkerStopTimeout: 5 * time.Second,
	}
}
