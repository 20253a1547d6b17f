package app.groschen.till.kiosk

import android.app.Activity
import android.app.ActivityManager
import android.app.admin.DevicePolicyManager
import android.content.ComponentName
import android.content.Context

/**
 * Keeps a phone in the till. Only where the app is the device's owner: what any other app can do, pinning, a person ends with two buttons.
 * Who may leave, the core says: a stand's lead with a PIN.
 */
class LockTask(context: Context) {
    private val policy = checkNotNull(context.getSystemService(DevicePolicyManager::class.java))
    private val activities = checkNotNull(context.getSystemService(ActivityManager::class.java))
    private val admin = ComponentName(context, TillAdmin::class.java)
    private val app = context.packageName

    val isOwner: Boolean get() = policy.isDeviceOwnerApp(app)
    val isLocked: Boolean get() = activities.lockTaskModeState == ActivityManager.LOCK_TASK_MODE_LOCKED

    /** False if the phone is not ours to lock. From `onResume`: Android refuses a window that is not in front. */
    fun enter(activity: Activity): Boolean {
        if (!isOwner) return false
        policy.setLockTaskPackages(admin, arrayOf(app))
        // An uninstalled till has lost what it had not sent.
        policy.setUninstallBlocked(admin, app, true)
        if (!isLocked) activity.startLockTask()
        return true
    }

    fun leave(activity: Activity) {
        if (isLocked) activity.stopLockTask()
    }
}
