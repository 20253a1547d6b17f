package app.groschen.till.scan

import android.content.Context
import android.view.View

/** A camera as scanning wants it. Called from the screen's thread. */
interface ScanCamera {
    /** Whether this phone has one that looks away from who holds it. */
    val exists: Boolean

    /** Opens it; what it reads comes to [watcher]. Only with the permission. */
    fun open(watcher: Watcher)

    /** Its lamp. */
    fun light(on: Boolean)

    /** Closes it, whatever it is about. One that is closed says nothing more. */
    fun close()

    /** What shows its picture; the last one that was asked for does. */
    fun picture(context: Context): View

    /** Hears from the camera, on a thread of the camera's. */
    interface Watcher {
        /** It sees; whether it has a lamp. */
        fun opened(hasLight: Boolean)

        /** A code is in the picture. As often as it is. */
        fun read(text: String)

        /** Another app has it, or the phone bars it, or it is broken. It is closed. */
        fun failed()
    }
}
