package app.groschen.till.service

import android.app.job.JobInfo
import android.app.job.JobParameters
import android.app.job.JobScheduler
import android.app.job.JobService
import android.content.ComponentName
import android.content.Context
import kotlin.concurrent.thread

/** Sends what is left when the process was killed or the phone lies in a drawer: Android wakes it as soon as there is a network. */
class RetryJob : JobService() {
    private var sending: Thread? = null

    override fun onStartJob(params: JobParameters): Boolean {
        val work = backgroundWork
        if (work.unsent == 0) return false
        sending = thread(name = "retry-job") {
            val done = work.send()
            jobFinished(params, !done)
        }
        return true
    }

    // The network went, or the time was up: again later.
    override fun onStopJob(params: JobParameters): Boolean {
        sending?.interrupt()
        return true
    }

    companion object {
        internal const val ID = 1

        // Doubled by Android at each failure, up to five hours; a till that is in use has its own, shorter patience.
        internal const val BACKOFF_MS = 30_000L

        fun schedule(context: Context) {
            val scheduler = checkNotNull(context.getSystemService(JobScheduler::class.java))
            // Scheduling it anew would start its patience anew.
            if (scheduler.getPendingJob(ID) != null) return
            scheduler.schedule(
                JobInfo.Builder(ID, ComponentName(context, RetryJob::class.java))
                    .setRequiredNetworkType(JobInfo.NETWORK_TYPE_ANY)
                    .setBackoffCriteria(BACKOFF_MS, JobInfo.BACKOFF_POLICY_EXPONENTIAL)
                    .setPersisted(true)
                    .build(),
            )
        }
    }
}
