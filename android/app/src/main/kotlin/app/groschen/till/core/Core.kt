package app.groschen.till.core

import android.content.Context
import android.os.Build
import android.os.Handler
import android.os.Looper
import app.groschen.core.EvacuatedFile
import app.groschen.core.Library
import app.groschen.core.LogLevel
import app.groschen.core.OpenException
import app.groschen.core.Setup
import app.groschen.core.Subscription
import app.groschen.core.Terminal
import app.groschen.core.TouchException
import app.groschen.core.logTo
import app.groschen.till.device.DataFolder
import app.groschen.till.device.PhoneClock
import app.groschen.till.device.Sounds
import app.groschen.till.files.CoreFiles
import app.groschen.till.files.FileErrands
import app.groschen.till.keys.DeviceKeystore
import app.groschen.till.keys.KeyUnavailable
import app.groschen.till.nfc.PresentTag
import app.groschen.till.nfc.TagListener
import app.groschen.till.service.BackgroundWork
import app.groschen.till.service.SyncService
import app.groschen.view.Touch
import app.groschen.view.View
import java.util.concurrent.Executors
import java.util.concurrent.TimeUnit

/** The terminal of this process with all that the phone gives it. One for as long as the process lives, or until the core says that it has ended. */
internal class Core private constructor(private val context: Context, keys: DeviceKeystore, onLeaveKiosk: () -> Unit) :
    TagListener, BackgroundWork, CoreFiles {
    private val device = Device(context, keys)
    private val main = Handler(Looper.getMainLooper())
    val screen = Newest(main)
    private val sounds = Sounds(context)
    private val terminal: Terminal
    private val shown: Subscription
    private val filer = Executors.newSingleThreadExecutor { Thread(it, "files") }

    /** Bookings and keys as files. */
    val files = FileErrands(this, context.contentResolver, filer) { main.post(it) }

    init {
        val setup = Setup(
            folder = DataFolder.of(context).path,
            app = checkNotNull(context.packageManager.getPackageInfo(context.packageName, 0).versionName),
            device = "${Build.MANUFACTURER} ${Build.MODEL}",
            language = Device.language(context),
        )
        sounds.loudest()
        terminal = Terminal.open(setup, CoreKeystore(keys), CoreClock(PhoneClock(context)), CoreEffects(sounds, onLeaveKiosk))
        terminal.device(device.state())
        shown = terminal.watch(screen)
        device.watch(onChange = { terminal.device(device.state()) }, onNetwork = terminal::networkIsBack)
    }

    /** False if it could not be taken in: nothing was booked by it, and the touch is to be made again. */
    fun touch(touch: Touch): Boolean = try {
        terminal.touch(touch)
        SyncService.startIfNeeded(context)
        true
    } catch (_: TouchException) {
        false
    }

    override fun evacuated(): List<EvacuatedFile> = terminal.evacuated()

    override fun takeFile(file: ByteArray): Boolean = try {
        terminal.takeFile(file)
        SyncService.startIfNeeded(context)
        true
    } catch (_: TouchException) {
        false
    }

    override fun takeKeys(file: ByteArray, passphrase: String): Int {
        val batches = terminal.takeKeys(file, passphrase)
        // How many batches there are is part of how the device is.
        terminal.device(device.state())
        return batches
    }

    /** The light around changed. */
    fun dark(isDark: Boolean) {
        device.dark = isDark
        terminal.device(device.state())
    }

    override fun onTag(tag: PresentTag) {
        terminal.hold(CoreLink(tag), CoreLink.selected(tag))
        SyncService.startIfNeeded(context)
    }

    override fun onTagRemoved() = terminal.left()

    private val view: View get() = screen.view ?: terminal.view()

    /** Own bookings, and those of other phones that wait here. */
    override val unsent: Int get() = view.frame.pill.unsent + view.frame.carried

    /** As long as somebody is logged in: the core lets nobody out who has unsent bookings or an open drawer. */
    override val shiftOpen: Boolean get() = view.frame.cashier != null

    override fun send(): Boolean {
        terminal.networkIsBack()
        val until = System.nanoTime() + SEND_PATIENCE_NS
        try {
            while (unsent > 0 && System.nanoTime() < until) Thread.sleep(LOOK_MS)
        } catch (_: InterruptedException) {
            Thread.currentThread().interrupt()
        }
        return unsent == 0
    }

    /** Stores what is in memory and stops watching; blocks as long as the disk. Of no use afterwards. */
    fun end() {
        device.close()
        shown.cancel()
        // What is being read or written comes to its end first: half a file would be one of no use.
        filer.shutdown()
        filer.awaitTermination(FILE_PATIENCE_S, TimeUnit.SECONDS)
        terminal.end()
        sounds.close()
    }

    companion object {
        private const val LOOK_MS = 200L
        private const val FILE_PATIENCE_S = 5L

        // Android gives a job ten minutes; one that has sent nothing for two is better tried again later.
        private const val SEND_PATIENCE_NS = 120_000_000_000L

        /** Reads the journal: not on the screen's thread. */
        @Throws(OpenException::class)
        fun open(context: Context, onLeaveKiosk: () -> Unit): Core {
            Library.load()
            logTo(Logcat, LogLevel.INFO)
            val keys = try {
                DeviceKeystore()
            } catch (none: KeyUnavailable) {
                throw OpenException.Key(none.toString())
            }
            return Core(context, keys, onLeaveKiosk)
        }
    }
}
