package app.groschen.till.screens

import android.text.InputType
import android.view.View
import android.widget.EditText
import app.groschen.till.R
import app.groschen.till.files.Errand
import app.groschen.till.ui.Colours
import app.groschen.till.ui.Slot
import app.groschen.till.ui.Type
import app.groschen.till.ui.Ui
import app.groschen.till.ui.Weight
import app.groschen.till.ui.Wish
import app.groschen.till.ui.button
import app.groschen.till.ui.column
import app.groschen.till.ui.field
import app.groschen.till.ui.label
import app.groschen.till.ui.note
import app.groschen.till.ui.page
import app.groschen.till.ui.title

/** A file of keys is here; only its passphrase opens it. What is typed goes to the core and stays nowhere. */
class PassphraseScreen(private val ui: Ui) : Screen<Errand.Locked> {
    private val passphrase: EditText = ui.field(ui.text(R.string.keys_passphrase)).apply {
        inputType = InputType.TYPE_CLASS_TEXT or InputType.TYPE_TEXT_VARIATION_PASSWORD
        importantForAutofill = View.IMPORTANT_FOR_AUTOFILL_NO
        isSaveEnabled = false
    }
    private val state = Slot(ui.context)

    override val root: View = ui.page(
        ui.column(
            ui.title(ui.text(R.string.keys_take)),
            state,
            ui.label(ui.text(R.string.keys_passphrase), Type.CAPTION).apply { labelFor = passphrase.id },
            passphrase,
            ui.label(ui.text(R.string.keys_passphrase_hint)),
            ui.button(ui.text(R.string.keys_open), Weight.MAIN, ::open),
            gap = R.dimen.gap_large,
        ),
        ui.button(ui.text(R.string.cancel)) { ui.phone.wish(Wish.Forget) },
    )

    override fun show(page: Errand.Locked) =
        state.show(page.isWrong) { isWrong -> if (isWrong) ui.note(Colours.BAD, ui.text(R.string.keys_locked), ui.text(R.string.keys_locked_now)) else null }

    private fun open() {
        val typed = passphrase.text.toString()
        if (typed.isNotEmpty()) ui.phone.wish(Wish.Unlock(typed))
    }
}
