package app.groschen.till.core

import android.os.Handler
import app.groschen.core.Display
import app.groschen.view.View

/**
 * Brings views from the core's threads to the screen's. Of many that come while one is drawn, only the newest is drawn next: the screen never falls
 * behind.
 */
internal class Newest(private val main: Handler) : Display {
    private val lock = Any()
    private var newest: View? = null
    private var posted = false
    private var window: ((View) -> Unit)? = null

    /** The newest view; null before the first. */
    val view: View? get() = synchronized(lock) { newest }

    /** From the screen's thread: this window draws from now on, or none. */
    fun drawTo(window: ((View) -> Unit)?) {
        this.window = window
        draw()
    }

    override fun show(view: View) {
        synchronized(lock) {
            // Two may cross on their way.
            if (view.serial < (newest?.serial ?: view.serial)) return
            newest = view
            if (posted) return
            posted = true
        }
        main.post(::draw)
    }

    private fun draw() {
        val view = synchronized(lock) {
            posted = false
            newest
        }
        if (view != null) window?.invoke(view)
    }
}
