//go:build !slim

package engine

import (
	dc "go.temporal.io/server/common/dynamicconfig"
)

// pollsPerSecond replaces limits of 20 per second, with which every hop between two steps of a run waits up to 50 ms. The
// polls are caused by events, so an idle server does not poll more often.
const pollsPerSecond = 5000

// dynamic is the server's tuning. Names are taken from the server's own settings, so that a renamed one does not compile.
func dynamic() dc.StaticClient {
	return dc.StaticClient{
		dc.TransferProcessorMaxPollRPS.Key():   pollsPerSecond,
		dc.TimerProcessorMaxPollRPS.Key():      pollsPerSecond,
		dc.VisibilityProcessorMaxPollRPS.Key(): pollsPerSecond,

		// One worker process: with four partitions a task may wait in one that nobody polls just then.
		dc.MatchingNumTaskqueueReadPartitions.Key():  1,
		dc.MatchingNumTaskqueueWritePartitions.Key(): 1,

		// The first workflow task, and activities, come back with the answer that caused them.
		dc.EnableEagerWorkflowStart.Key():     true,
		dc.EnableActivityEagerExecution.Key(): true,

		// Sign-off decisions are updates.
		dc.FrontendEnableUpdateWorkflowExecution.Key():              true,
		dc.FrontendEnableUpdateWorkflowExecutionAsyncAccepted.Key(): true,

		// A storm of alerts arrives at one server: the defaults are shares of a large cluster.
		dc.FrontendMaxNamespaceRPSPerInstance.Key(): 20_000,
		dc.FrontendPersistenceMaxQPS.Key():          20_000,
		dc.HistoryPersistenceMaxQPS.Key():           20_000,
		dc.MatchingPersistenceMaxQPS.Key():          20_000,

		// Parked runs need no place in memory: they are read again when somebody decides.
		dc.HistoryCacheHostLevelMaxSize.Key():     2_000,
		dc.EventsHostLevelCacheMaxSizeBytes.Key(): 16 << 20,

		// Schedules live in the history service, where nothing else has to run for them.
		dc.EnableCHASMSchedulerCreation.Key():         true,
		dc.CHASMSchedulerCreationRolloutPercent.Key(): 100,

		// Children of a closing run are told in place: the service that would do it elsewhere does not run.
		dc.EnableParentClosePolicyWorker.Key(): false,
	}
}
