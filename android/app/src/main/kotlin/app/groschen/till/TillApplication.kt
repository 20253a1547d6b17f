package app.groschen.till

import android.app.Application
import android.content.Context
import android.os.Handler
import android.os.Looper
import app.groschen.core.OpenException
import app.groschen.till.core.Core
import app.groschen.till.scan.BackCamera
import app.groschen.till.scan.ScanCamera
import app.groschen.till.service.BackgroundWork
import app.groschen.till.service.HasBackgroundWork
import java.util.concurrent.Callable
import java.util.concurrent.ExecutionException
import java.util.concurrent.Executors
import java.util.concurrent.Future
import java.util.concurrent.ScheduledExecutorService

/** Has the core. Opens it beside the first window, and for services and receivers that Android starts without any. */
class TillApplication : Application(), HasBackgroundWork {
    private val opener = Executors.newSingleThreadExecutor { Thread(it, "core-opener") }
    private val main = Handler(Looper.getMainLooper())

    /** Wristbands are worked on here, one after the other, whichever window is in front. */
    internal val readerThread: ScheduledExecutorService = Executors.newSingleThreadScheduledExecutor { Thread(it, "reader") }

    @Volatile private lateinit var opening: Future<Core>

    /** The camera that windows scan with. */
    internal var cameraOf: (Context) -> ScanCamera = ::BackCamera

    /** Called on the core's thread when a stand's lead opens the kiosk; the window that is in front does it. */
    @Volatile internal var leaveKiosk: () -> Unit = {}

    override fun onCreate() {
        super.onCreate()
        open()
    }

    /** Opens the core, anew where it could not be opened or has ended. */
    internal fun open(ended: Core? = null) {
        opening = opener.submit(
            Callable {
                ended?.end()
                Core.open(this) { leaveKiosk() }
            },
        )
    }

    /** Calls back on the screen's thread once the core is open, or with why it is not. */
    internal fun whenOpen(then: (Core?, OpenException?) -> Unit) {
        val wanted = opening
        opener.execute {
            val (core, why) = outcome(wanted)
            main.post { then(core, why) }
        }
    }

    // Whoever asks waits for the journal to be read: tens of milliseconds, in a process that was started for this answer.
    override val backgroundWork: BackgroundWork
        get() = outcome(opening).first ?: NothingToDo

    private fun outcome(opening: Future<Core>): Pair<Core?, OpenException?> = try {
        opening.get() to null
    } catch (failed: ExecutionException) {
        null to (failed.cause as? OpenException ?: throw failed)
    }

    /** What cannot be opened sends nothing: a person has to look. */
    private object NothingToDo : BackgroundWork {
        override val unsent = 0
        override val shiftOpen = false

        override fun send() = true
    }
}
