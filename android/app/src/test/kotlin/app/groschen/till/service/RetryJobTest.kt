package app.groschen.till.service

import android.app.job.JobInfo
import android.app.job.JobParameters
import android.app.job.JobScheduler
import app.groschen.till.GroschenRunner
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.Robolectric
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config
import org.robolectric.util.ReflectionHelpers
import java.util.concurrent.TimeUnit

@RunWith(GroschenRunner::class)
@Config(sdk = [35], application = FakeTill::class)
class RetryJobTest {
    private val till = RuntimeEnvironment.getApplication() as FakeTill
    private val work = till.backgroundWork
    private val scheduler = checkNotNull(till.getSystemService(JobScheduler::class.java))
    private val job = Robolectric.buildService(RetryJob::class.java).create().get()
    private val params: JobParameters = ReflectionHelpers.callConstructor(JobParameters::class.java)

    private fun run() {
        assertTrue(job.onStartJob(params))
        val deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(5)
        while (!shadowOf(job).isJobFinished && System.nanoTime() < deadline) Thread.sleep(5)
        assertTrue(shadowOf(job).isJobFinished)
    }

    @Test
    fun `the job waits for a network, survives a reboot and grows patient`() {
        RetryJob.schedule(till)
        val info = checkNotNull(scheduler.getPendingJob(RetryJob.ID))
        assertEquals(JobInfo.NETWORK_TYPE_ANY, info.networkType)
        assertTrue(info.isPersisted)
        assertEquals(JobInfo.BACKOFF_POLICY_EXPONENTIAL, info.backoffPolicy)
        assertEquals(30_000L, info.initialBackoffMillis)
    }

    @Test
    fun `a job that waits already is left alone`() {
        RetryJob.schedule(till)
        val first = scheduler.getPendingJob(RetryJob.ID)
        RetryJob.schedule(till)
        assertEquals(1, scheduler.allPendingJobs.size)
        assertTrue(first === scheduler.getPendingJob(RetryJob.ID))
    }

    @Test
    fun `a job that sent everything is over`() {
        work.unsent = 4
        run()
        assertFalse(shadowOf(job).isRescheduleNeeded)
    }

    @Test
    fun `a job that could not send is tried again`() {
        work.unsent = 4
        work.reachable = false
        run()
        assertTrue(shadowOf(job).isRescheduleNeeded)
    }

    @Test
    fun `a job that Android stops is tried again`() {
        assertTrue(job.onStopJob(params))
    }

    @Test
    fun `a job with nothing to send is over at once`() {
        assertFalse(job.onStartJob(params))
    }
}
