package app.groschen.till.ui

import android.content.Context
import android.view.View
import app.groschen.till.files.Errand
import app.groschen.till.files.Wanted
import app.groschen.till.scan.Scan

/** What the phone itself does for a page, beside the core's view: its camera and its files. With the view, all that a screen is drawn from. */
data class Beside(val scan: Scan = Scan.Off, val errand: Errand = Errand.None)

/** What a person wants of the phone itself. As a touch goes to the core, this goes to the window. */
sealed interface Wish {
    /** Codes shall be scanned. */
    data object BeginScan : Wish

    /** No more. */
    data object StopScan : Wish

    /** The camera's lamp on or off. */
    data object Light : Wish

    /** What the server lacks shall be written to a file. */
    data object Give : Wish

    /** A file shall be read. */
    data class Take(val wanted: Wanted) : Wish

    /** The passphrase of the file of keys. */
    class Unlock(val passphrase: String) : Wish

    /** What was said of a file is read. */
    data object Forget : Wish
}

/** The phone itself, as screens have it: where wishes go, and what shows the camera's [picture]. */
class PhoneSide(val wish: (Wish) -> Unit = {}, val picture: (Context) -> View = ::View)
