package app.groschen.till

import android.Manifest
import android.app.Activity
import android.content.Intent
import android.nfc.NfcAdapter
import android.os.Build
import android.os.Bundle
import android.view.KeyEvent
import android.widget.FrameLayout
import app.groschen.core.OpenException
import app.groschen.till.core.Core
import app.groschen.till.device.LightTheme
import app.groschen.till.files.Errand
import app.groschen.till.files.FileErrands
import app.groschen.till.files.PickerIntents
import app.groschen.till.kiosk.LockTask
import app.groschen.till.link.RegistrationLink
import app.groschen.till.nfc.ReaderMode
import app.groschen.till.scan.AskedPermission
import app.groschen.till.scan.Scan
import app.groschen.till.scan.Scanner
import app.groschen.till.screens.BrokenScreen
import app.groschen.till.screens.StartScreen
import app.groschen.till.screens.TillView
import app.groschen.till.screens.touchOfKey
import app.groschen.till.ui.Beside
import app.groschen.till.ui.PhoneSide
import app.groschen.till.ui.Ui
import app.groschen.till.ui.Wish
import app.groschen.till.ui.seenBy
import app.groschen.view.Broken
import app.groschen.view.Page
import app.groschen.view.Theme
import app.groschen.view.Touch
import app.groschen.view.View
import java.util.Locale
import java.util.TimeZone
import android.view.View as AndroidView

/** The one window of the shell. What it shows is a function of the view that the core sends; what it hears goes to the core. */
class TillActivity : Activity() {
    private val till: TillApplication get() = application as TillApplication
    private val kiosk by lazy { LockTask(this) }
    private val light by lazy { LightTheme(this, night = false) { core?.dark(it) } }

    // Android 15 draws windows beneath the system's bars; this keeps out of them.
    private val frame by lazy { FrameLayout(this).apply { fitsSystemWindows = true } }
    private var core: Core? = null
    private var screen: TillView? = null
    private var reader: ReaderMode? = null
    private var isInFront = false
    private var isBroken = false

    /** A code that came by a link before there was a core to take it. */
    private var code: String? = null

    /** What the picker of files said before there was a core to tell. */
    private var picked: ((FileErrands) -> Unit)? = null

    private val permission = AskedPermission(this)
    private val picker = PickerIntents(this)
    private val camera by lazy { till.cameraOf(this) }
    private val scanner by lazy { Scanner(camera, permission, { runOnUiThread(it) }, { core?.touch(Touch.Scanned(it)) == true }, ::redraw) }

    override fun onCreate(savedInstanceState: Bundle?) {
        super.onCreate(savedInstanceState)
        setContentView(frame)
        code = RegistrationLink.text(intent)
        // Once: the service runs without it too, its notification is then hidden.
        if (savedInstanceState == null && Build.VERSION.SDK_INT >= Build.VERSION_CODES.TIRAMISU) {
            requestPermissions(arrayOf(Manifest.permission.POST_NOTIFICATIONS), 0)
        }
        start()
    }

    override fun onNewIntent(intent: Intent) {
        super.onNewIntent(intent)
        code = RegistrationLink.text(intent) ?: return
        takeCode()
    }

    private fun start() {
        put(StartScreen(plainUi()).root)
        till.whenOpen { opened, why ->
            if (isDestroyed) return@whenOpen
            if (opened != null) attach(opened) else why?.let(::showBroken)
        }
    }

    private fun showBroken(why: OpenException) {
        isBroken = true
        put(BrokenScreen(plainUi()).apply { show(broken(why)) }.root)
    }

    private fun attach(opened: Core) {
        core = opened
        screen = TillView(this, PhoneSide(::wish, camera::picture), ::touch).also(::put)
        opened.files.picker = picker
        opened.files.changed = ::redraw
        picked?.let { tell -> tell(opened.files) }
        picked = null
        reader = NfcAdapter.getDefaultAdapter(this)?.let { ReaderMode(it, opened, till.readerThread) }
        opened.screen.drawTo(::show)
        takeCode()
        if (isInFront) listen()
    }

    private fun show(view: View) {
        if (view.page is Page.Ended) return reopen()
        val night = view.frame.theme == Theme.NIGHT
        frame.setBackgroundColor(seenBy(Locale.ENGLISH, night).getColor(R.color.ground))
        darkBars(night)
        scanner.follow(view)
        if (view.page !is Page.Evacuation && view.page !is Page.Device) core?.files?.forget()
        screen?.show(view, beside())
    }

    private fun beside() = Beside(scanner.state, core?.files?.state ?: Errand.None)

    /** The camera or a file went on; the core's view is the same. */
    private fun redraw() {
        screen?.show(core?.screen?.view ?: return, beside())
    }

    private fun wish(wish: Wish) {
        val files = core?.files ?: return
        when (wish) {
            Wish.BeginScan -> scanner.begin()
            Wish.StopScan -> scanner.stop()
            Wish.Light -> scanner.light()
            Wish.Give -> files.give()
            is Wish.Take -> files.take(wish.wanted)
            is Wish.Unlock -> files.unlock(wish.passphrase)
            Wish.Forget -> files.forget()
        }
    }

    override fun onRequestPermissionsResult(requestCode: Int, permissions: Array<String>, grantResults: IntArray) {
        super.onRequestPermissionsResult(requestCode, permissions, grantResults)
        permission.answer(scanner, requestCode, grantResults)
    }

    override fun onActivityResult(requestCode: Int, resultCode: Int, data: Intent?) {
        super.onActivityResult(requestCode, resultCode, data)
        val place = data?.data.takeIf { resultCode == RESULT_OK }
        val tell = { files: FileErrands -> PickerIntents.answer(files, requestCode, place) }
        // The process may be a new one: the core is still being opened then.
        core?.let { tell(it.files) } ?: run { picked = { tell(it) } }
    }

    // The bars' signs are dark by day. The flag is the only way from Android 8 to 15.
    @Suppress("DEPRECATION")
    private fun darkBars(night: Boolean) {
        val light = AndroidView.SYSTEM_UI_FLAG_LIGHT_STATUS_BAR or AndroidView.SYSTEM_UI_FLAG_LIGHT_NAVIGATION_BAR
        frame.systemUiVisibility = if (night) 0 else light
    }

    /** The terminal has ended, as after a device was let go: the next one is a new device. */
    private fun reopen() {
        val ended = core ?: return
        detach(ended)
        till.open(ended)
        start()
    }

    private fun detach(from: Core) {
        if (isInFront) reader?.pause(this)
        from.screen.drawTo(null)
        scanner.stop()
        // The window that comes next may be there already.
        if (from.files.picker === picker) {
            from.files.picker = null
            from.files.changed = {}
        }
        core = null
        screen = null
        reader = null
    }

    private fun takeCode() {
        val text = code ?: return
        if (core?.touch(Touch.Scanned(text)) == true) code = null
    }

    private fun touch(touch: Touch) {
        core?.touch(touch)
    }

    override fun onResume() {
        super.onResume()
        isInFront = true
        // Whoever unlocked the phone, or made room on it, comes back here.
        if (isBroken) {
            isBroken = false
            till.open()
            start()
        }
        kiosk.enter(this)
        till.leaveKiosk = { runOnUiThread { kiosk.leave(this) } }
        listen()
    }

    private fun listen() {
        reader?.resume(this)
        if (core != null) light.resume()
    }

    override fun onPause() {
        isInFront = false
        till.leaveKiosk = {}
        reader?.pause(this)
        light.pause()
        scanner.stop()
        super.onPause()
    }

    override fun onDestroy() {
        core?.let(::detach)
        super.onDestroy()
    }

    override fun onKeyDown(keyCode: Int, event: KeyEvent): Boolean {
        val page = core?.screen?.view?.page ?: return super.onKeyDown(keyCode, event)
        touch(touchOfKey(keyCode, page) ?: return super.onKeyDown(keyCode, event))
        return true
    }

    @Deprecated("The newer way needs Android 13.")
    override fun onBackPressed() {
        if (scanner.state is Scan.On) return scanner.stop()
        // A till is not left by a key that is hit in passing.
        if (core?.screen?.view?.frame?.canGoBack == true) touch(Touch.Back)
    }

    private fun broken(why: OpenException): Page.Broken = when (why) {
        is OpenException.Queue -> Page.Broken(Broken.QUEUE, why.reason)
        is OpenException.Key -> Page.Broken(Broken.KEY, why.reason)
        is OpenException.Device -> Page.Broken(Broken.DEVICE, why.reason)
    }

    private fun plainUi() = Ui(this, TimeZone.getDefault().id) {}

    private fun put(view: AndroidView) {
        frame.removeAllViews()
        frame.addView(view)
    }
}
