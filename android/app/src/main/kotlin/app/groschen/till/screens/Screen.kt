package app.groschen.till.screens

import android.view.View
import app.groschen.till.ui.Beside

/** One kind of page: made once, then shown what the core says, as often as that changes. */
interface Screen<in P> {
    /** What is put on the screen. */
    val root: View

    /** Shows this; what was shown before is of no more use. */
    fun show(page: P)
}

/** A page on which the phone itself has a part, with how that stands. */
data class Aided<out P>(val page: P, val beside: Beside)
