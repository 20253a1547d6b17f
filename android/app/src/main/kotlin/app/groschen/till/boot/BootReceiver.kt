package app.groschen.till.boot

import android.content.BroadcastReceiver
import android.content.Context
import android.content.Intent
import app.groschen.till.service.RetryJob
import app.groschen.till.service.SyncService
import app.groschen.till.service.backgroundWork

/** After a reboot or an update nobody has opened the till yet, and orders may be unsent. */
class BootReceiver : BroadcastReceiver() {
    override fun onReceive(context: Context, intent: Intent) {
        // Other apps may send anything to a receiver.
        if (intent.action !in listOf(Intent.ACTION_BOOT_COMPLETED, Intent.ACTION_MY_PACKAGE_REPLACED)) return
        if (context.backgroundWork.unsent > 0) RetryJob.schedule(context)
        SyncService.startIfNeeded(context)
    }
}
