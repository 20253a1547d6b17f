package app.groschen.till.kiosk

import android.app.Activity
import android.app.ActivityManager
import android.app.admin.DevicePolicyManager
import android.content.ComponentName
import app.groschen.till.GroschenRunner
import org.junit.Assert.assertArrayEquals
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.Robolectric
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config

@RunWith(GroschenRunner::class)
@Config(sdk = [35])
class LockTaskTest {
    class Window : Activity() {
        val calls = mutableListOf<String>()

        override fun startLockTask() {
            calls += "start"
        }

        override fun stopLockTask() {
            calls += "stop"
        }
    }

    private val app = RuntimeEnvironment.getApplication()
    private val policy = checkNotNull(app.getSystemService(DevicePolicyManager::class.java))
    private val activities = checkNotNull(app.getSystemService(ActivityManager::class.java))
    private val admin = ComponentName(app, TillAdmin::class.java)
    private val window = Robolectric.buildActivity(Window::class.java).setup().get()

    @Test
    fun `a phone that is ours is locked into the till, which cannot be uninstalled, and let out again`() {
        shadowOf(policy).setDeviceOwner(admin)
        val lock = LockTask(app)
        assertTrue(lock.enter(window))
        assertArrayEquals(arrayOf(app.packageName), policy.getLockTaskPackages(admin))
        assertTrue(policy.isUninstallBlocked(admin, app.packageName))
        assertEquals(listOf("start"), window.calls)

        shadowOf(activities).setLockTaskModeState(ActivityManager.LOCK_TASK_MODE_LOCKED)
        assertTrue(lock.enter(window))
        assertEquals(listOf("start"), window.calls)
        lock.leave(window)
        assertEquals(listOf("start", "stop"), window.calls)
    }

    @Test
    fun `a phone that is somebody's own is never locked`() {
        val lock = LockTask(app)
        assertFalse(lock.enter(window))
        lock.leave(window)
        assertEquals(emptyList<String>(), window.calls)
    }
}
