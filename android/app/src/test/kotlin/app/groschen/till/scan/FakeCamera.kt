package app.groschen.till.scan

import android.content.Context
import android.view.View

/** A camera without one: what it sees, a test says. */
class FakeCamera(override var exists: Boolean = true, var hasLight: Boolean = true) : ScanCamera {
    var watcher: ScanCamera.Watcher? = null
        private set
    var opened = 0
        private set
    var lit = false
        private set

    val isOpen: Boolean get() = watcher != null

    override fun open(watcher: ScanCamera.Watcher) {
        check(!isOpen) { "it is open already" }
        opened++
        this.watcher = watcher
        watcher.opened(hasLight)
    }

    override fun light(on: Boolean) {
        check(isOpen)
        lit = on
    }

    override fun close() {
        watcher = null
        lit = false
    }

    override fun picture(context: Context) = View(context)

    /** So many pictures of this, each read as the phone's camera does it. */
    fun sees(frame: Frame, pictures: Int = 1) {
        val text = QrReader.read(frame.take())
        repeat(pictures) { if (text != null) watcher?.read(text) }
    }
}
