package app.groschen.till.boot

import android.app.job.JobScheduler
import android.content.Intent
import app.groschen.till.GroschenRunner
import app.groschen.till.service.FakeTill
import app.groschen.till.service.RetryJob
import app.groschen.till.service.SyncService
import org.junit.Assert.assertEquals
import org.junit.Assert.assertNotNull
import org.junit.Assert.assertNull
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config

@RunWith(GroschenRunner::class)
@Config(sdk = [35], application = FakeTill::class)
class BootReceiverTest {
    private val till = RuntimeEnvironment.getApplication() as FakeTill

    private fun receive(action: String) = BootReceiver().onReceive(till, Intent(action))
    private fun service(): String? = shadowOf(till).nextStartedService?.component?.className
    private fun job() = checkNotNull(till.getSystemService(JobScheduler::class.java)).getPendingJob(RetryJob.ID)

    @Test
    fun `unsent orders are sent after a reboot and after an update without anybody opening the till`() {
        till.backgroundWork.unsent = 5
        for (action in listOf(Intent.ACTION_BOOT_COMPLETED, Intent.ACTION_MY_PACKAGE_REPLACED)) {
            receive(action)
            assertEquals(SyncService::class.java.name, service())
            assertNotNull(job())
        }
    }

    @Test
    fun `an open shift goes on after a reboot`() {
        till.backgroundWork.shiftOpen = true
        receive(Intent.ACTION_BOOT_COMPLETED)
        assertEquals(SyncService::class.java.name, service())
        assertNull(job())
    }

    @Test
    fun `a till with nothing to do is left asleep, and another app's message is not heard`() {
        receive(Intent.ACTION_BOOT_COMPLETED)
        assertNull(service())
        till.backgroundWork.unsent = 5
        receive("somebody.else.SAYS")
        assertNull(service())
        assertNull(job())
    }

    @Test
    fun `the manifest names the receiver for both and keeps other apps out`() {
        for (action in listOf(Intent.ACTION_BOOT_COMPLETED, Intent.ACTION_MY_PACKAGE_REPLACED)) {
            val found = till.packageManager.queryBroadcastReceivers(Intent(action).setPackage(till.packageName), 0)
            assertTrue(found.any { it.activityInfo.name == BootReceiver::class.java.name && !it.activityInfo.exported })
        }
    }
}
