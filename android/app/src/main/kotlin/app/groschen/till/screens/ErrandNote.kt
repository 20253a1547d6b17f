package app.groschen.till.screens

import android.view.View
import app.groschen.till.R
import app.groschen.till.files.Errand
import app.groschen.till.ui.Colours
import app.groschen.till.ui.Type
import app.groschen.till.ui.Ui
import app.groschen.till.ui.label
import app.groschen.till.ui.note
import app.groschen.till.words.over

/** How it stands with a file that is given or taken; null if there is nothing to say. */
internal fun Ui.errand(errand: Errand): View? = when (errand) {
    Errand.None, is Errand.Locked -> null
    Errand.Running -> label(text(R.string.file_running), Type.CAPTION)
    is Errand.Over -> {
        val colours = when (errand) {
            is Errand.Given, is Errand.KeysTaken -> Colours.GOOD
            is Errand.Left -> if (errand.given == 0) Colours.INFO else Colours.AGAIN
            Errand.NothingToGive -> Colours.AGAIN
            is Errand.Failed -> Colours.BAD
        }
        val said = over(errand)
        note(colours, said.what, said.now)
    }
}?.apply { accessibilityLiveRegion = View.ACCESSIBILITY_LIVE_REGION_POLITE }
