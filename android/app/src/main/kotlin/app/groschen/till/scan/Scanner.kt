package app.groschen.till.scan

import app.groschen.view.EvacuationPage
import app.groschen.view.Notice
import app.groschen.view.Page
import app.groschen.view.RegisterPage
import app.groschen.view.Registering
import app.groschen.view.View

/** Whether a registration code is still wanted, or one is being looked at. */
internal val RegisterPage.wantsCode: Boolean get() = state !is Registering.Asking && state !is Registering.Confirm

/** The permission of the camera, as the window that is in front asks for it. */
interface CameraPermission {
    val isGranted: Boolean

    /** Lets Android ask the cashier; the answer comes to [Scanner.answered]. */
    fun ask()
}

/**
 * Scanning, from the touch that begins it to the closed camera. Everything here is on the screen's thread, to which [onScreen] brings what the camera says.
 *
 * Each text goes to the core once, however long its code is in the picture; what it is good for the core says by the next view. The camera is open only
 * while a page wants codes and nothing lies over it.
 */
class Scanner(
    private val camera: ScanCamera,
    private val permission: CameraPermission,
    private val onScreen: (() -> Unit) -> Unit,
    private val take: (String) -> Boolean,
    private val changed: () -> Unit,
) {
    var state: Scan = Scan.Off
        private set(next) {
            if (field == next) return
            field = next
            changed()
        }

    private val taken = HashSet<String>()
    private var page: Page? = null
    private var begunOn: Page? = null

    // What a camera said before it was closed may still be on its way.
    private var session = 0

    /** Somebody wants to scan. */
    fun begin() {
        if (state is Scan.On) return
        if (!camera.exists) {
            state = Scan.Not(NoScan.MISSING)
        } else if (permission.isGranted) {
            open()
        } else {
            permission.ask()
        }
    }

    /** What the cashier said to Android's question; [mayAskAgain] as Android says. */
    fun answered(isGranted: Boolean, mayAskAgain: Boolean) {
        if (!isGranted) {
            state = Scan.Not(if (mayAskAgain) NoScan.REFUSED else NoScan.BARRED)
        } else if (wantsCodes(page)) {
            open()
        }
    }

    private fun open() {
        taken.clear()
        begunOn = page
        val now = ++session
        // Before it opens: it may say at once that it does not.
        state = Scan.On()
        camera.open(object : ScanCamera.Watcher {
            override fun opened(hasLight: Boolean) = said(now) { on -> state = on.copy(light = if (hasLight) false else null) }

            override fun read(text: String) = said(now) { on -> read(on, text) }

            override fun failed() = said(now) {
                close()
                state = Scan.Not(NoScan.FAILED)
            }
        })
    }

    private fun said(then: Int, what: (Scan.On) -> Unit) = onScreen {
        val on = state as? Scan.On
        if (then == session && on != null) what(on)
    }

    private fun read(on: Scan.On, text: String) {
        if (text in taken) return
        // A terminal that is too busy has not taken it: the code is still in the picture and comes again.
        if (!take(text)) return
        if (taken.size >= TAKEN_MOST) taken.clear()
        taken += text
        if (state is Scan.On) state = on.copy(read = on.read + 1)
    }

    /** The lamp on or off. */
    fun light() {
        val on = state as? Scan.On ?: return
        val light = !(on.light ?: return)
        camera.light(light)
        state = on.copy(light = light)
    }

    /** Nobody scans any more: it was given up, or the window goes out of sight. */
    fun stop() {
        if (state is Scan.On) close()
        state = Scan.Off
    }

    private fun close() {
        session++
        camera.close()
    }

    /** What the core shows now. */
    fun follow(view: View) {
        page = view.page
        val covered = view.notice != Notice.None && view.notice != Notice.Reading
        when {
            !wantsCodes(page) -> stop()
            state is Scan.On && (covered || isComplete(page) && page != begunOn) -> stop()
        }
    }

    companion object {
        // A series of the largest file has less than three thousand.
        private const val TAKEN_MOST = 4096

        /** Whether this page has any use for codes. */
        fun wantsCodes(page: Page?): Boolean = when (page) {
            is Page.Register -> page.v1.wantsCode
            is Page.Evacuation -> page.v1 is EvacuationPage.Taking
            else -> false
        }

        private fun isComplete(page: Page?): Boolean {
            val taking = (page as? Page.Evacuation)?.v1 as? EvacuationPage.Taking ?: return false
            return taking.count > 0 && taking.have >= taking.count
        }
    }
}
