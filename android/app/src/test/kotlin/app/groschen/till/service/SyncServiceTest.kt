package app.groschen.till.service

import android.app.Notification
import android.app.NotificationManager
import android.app.Service
import android.app.job.JobScheduler
import android.content.Intent
import android.content.pm.ServiceInfo
import app.groschen.till.GroschenRunner
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNotNull
import org.junit.Assert.assertNull
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.Robolectric
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.android.controller.ServiceController
import org.robolectric.annotation.Config
import org.robolectric.shadows.ShadowLooper
import java.util.concurrent.TimeUnit

@RunWith(GroschenRunner::class)
@Config(sdk = [35], application = FakeTill::class)
class SyncServiceTest {
    private val till = RuntimeEnvironment.getApplication() as FakeTill
    private val work = till.backgroundWork

    private fun started(): ServiceController<SyncService> = Robolectric.buildService(SyncService::class.java).create()

    private fun text(service: Service): String {
        val shown = shadowOf(till.getSystemService(NotificationManager::class.java)).getNotification(SyncService.NOTIFICATION)
        val notification: Notification = checkNotNull(shown ?: shadowOf(service).lastForegroundNotification)
        return "${notification.extras.getCharSequence(Notification.EXTRA_TITLE)}: ${notification.extras.getCharSequence(Notification.EXTRA_TEXT)}"
    }

    private fun later() = ShadowLooper.idleMainLooper(SyncService.LOOK_MS, TimeUnit.MILLISECONDS)

    @Test
    fun `an open shift keeps the service in the foreground, as one that Android does not end after six hours`() {
        work.shiftOpen = true
        val service = started()
        assertEquals(Service.START_STICKY, service.get().onStartCommand(Intent(), 0, 1))
        assertEquals(ServiceInfo.FOREGROUND_SERVICE_TYPE_CONNECTED_DEVICE, service.get().foregroundServiceType)
        later()
        assertFalse(shadowOf(service.get()).isStoppedBySelf)
    }

    @Test
    fun `it ends when the shift is over and nothing is unsent, and not before`() {
        work.shiftOpen = true
        work.unsent = 2
        val service = started()
        service.get().onStartCommand(Intent(), 0, 1)
        work.shiftOpen = false
        later()
        assertFalse(shadowOf(service.get()).isStoppedBySelf)
        work.send()
        later()
        assertTrue(shadowOf(service.get()).isStoppedBySelf)
        assertTrue(shadowOf(service.get()).isForegroundStopped)
    }

    @Test
    fun `after the process was killed it goes on without an intent`() {
        work.unsent = 1
        val service = started()
        assertEquals(Service.START_STICKY, service.get().onStartCommand(null, 0, 1))
        assertNotNull(shadowOf(service.get()).lastForegroundNotification)
    }

    @Test
    @Config(qualifiers = "de")
    fun `the notification counts in German`() {
        work.unsent = 1
        val service = started()
        service.get().onStartCommand(Intent(), 0, 1)
        assertEquals("Der Rest wird gesendet: 1 Buchung noch nicht gesendet", text(service.get()))
        work.shiftOpen = true
        work.unsent = 12
        later()
        assertEquals("Schicht läuft: 12 Buchungen noch nicht gesendet", text(service.get()))
    }

    @Test
    @Config(qualifiers = "en")
    fun `the notification counts in English`() {
        work.shiftOpen = true
        val service = started()
        service.get().onStartCommand(Intent(), 0, 1)
        assertEquals("Shift is open: Everything is sent", text(service.get()))
        work.unsent = 1
        later()
        assertEquals("Shift is open: 1 booking not sent yet", text(service.get()))
    }

    @Test
    fun `a service that Android ends leaves a job for what is unsent`() {
        work.unsent = 3
        val service = started()
        service.get().onStartCommand(Intent(), 0, 1)
        service.destroy()
        assertNotNull(checkNotNull(till.getSystemService(JobScheduler::class.java)).getPendingJob(RetryJob.ID))
    }

    @Test
    fun `nothing is started for a till that has nothing to do`() {
        SyncService.startIfNeeded(till)
        assertNull(shadowOf(till).nextStartedService)
        work.unsent = 1
        SyncService.startIfNeeded(till)
        assertEquals(SyncService::class.java.name, shadowOf(till).nextStartedService?.component?.className)
    }
}
