package app.groschen.till.service

import android.app.ForegroundServiceStartNotAllowedException
import android.app.Notification
import android.app.NotificationChannel
import android.app.NotificationManager
import android.app.PendingIntent
import android.app.Service
import android.content.Context
import android.content.Intent
import android.content.pm.ServiceInfo
import android.os.Build
import android.os.Handler
import android.os.IBinder
import android.os.Looper
import app.groschen.till.R
import app.groschen.till.TillActivity

/**
 * Keeps the process while a shift is open or something is unsent; the core's own threads do the work.
 *
 * Of type connectedDevice: a till speaks to chips and to its server. As dataSync, Android 15 would stop it after six hours, in the
 * middle of a shift, and would not let it start after a reboot.
 */
class SyncService : Service() {
    private val main = Handler(Looper.getMainLooper())
    private val look = Runnable { lookAgain() }

    override fun onBind(intent: Intent?): IBinder? = null

    override fun onCreate() {
        super.onCreate()
        val channel = NotificationChannel(CHANNEL, getString(R.string.service_channel), NotificationManager.IMPORTANCE_LOW)
        channel.setShowBadge(false)
        notifications().createNotificationChannel(channel)
    }

    // After the process was killed Android calls this with no intent: what is unsent is known to the core, not to the intent.
    override fun onStartCommand(intent: Intent?, flags: Int, startId: Int): Int {
        try {
            enterForeground()
        } catch (refused: IllegalStateException) {
            if (Build.VERSION.SDK_INT < Build.VERSION_CODES.S || refused !is ForegroundServiceStartNotAllowedException) throw refused
            // Started again in the background, where Android does not let it: the job goes on instead.
            RetryJob.schedule(this)
            stopSelf()
            return START_NOT_STICKY
        }
        lookAgain()
        return START_STICKY
    }

    override fun onDestroy() {
        main.removeCallbacks(look)
        if (backgroundWork.unsent > 0) RetryJob.schedule(this)
        super.onDestroy()
    }

    private fun lookAgain() {
        main.removeCallbacks(look)
        if (backgroundWork.isNeeded) {
            notifications().notify(NOTIFICATION, notification())
            main.postDelayed(look, LOOK_MS)
        } else {
            stopForeground(STOP_FOREGROUND_REMOVE)
            stopSelf()
        }
    }

    private fun enterForeground() {
        if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.Q) {
            startForeground(NOTIFICATION, notification(), ServiceInfo.FOREGROUND_SERVICE_TYPE_CONNECTED_DEVICE)
        } else {
            startForeground(NOTIFICATION, notification())
        }
    }

    private fun notification(): Notification {
        val unsent = backgroundWork.unsent
        val open = PendingIntent.getActivity(this, 0, Intent(this, TillActivity::class.java), PendingIntent.FLAG_IMMUTABLE)
        return Notification.Builder(this, CHANNEL)
            .setSmallIcon(R.drawable.ic_notification)
            .setContentTitle(getString(if (backgroundWork.shiftOpen) R.string.service_shift_open else R.string.service_sending))
            .setContentText(if (unsent == 0) getString(R.string.service_all_sent) else resources.getQuantityString(R.plurals.service_unsent, unsent, unsent))
            .setContentIntent(open)
            .setCategory(Notification.CATEGORY_SERVICE)
            .setOngoing(true)
            .setOnlyAlertOnce(true)
            .build()
    }

    private fun notifications() = checkNotNull(getSystemService(NotificationManager::class.java))

    companion object {
        internal const val CHANNEL = "sync"
        internal const val NOTIFICATION = 1
        internal const val LOOK_MS = 15_000L

        /** At the start of a shift, at each order, and after a reboot: starting it again only draws the number anew. */
        fun startIfNeeded(context: Context) {
            if (!context.backgroundWork.isNeeded) return
            try {
                context.startForegroundService(Intent(context, SyncService::class.java))
            } catch (refused: IllegalStateException) {
                if (Build.VERSION.SDK_INT < Build.VERSION_CODES.S || refused !is ForegroundServiceStartNotAllowedException) throw refused
                RetryJob.schedule(context)
            }
        }
    }
}
