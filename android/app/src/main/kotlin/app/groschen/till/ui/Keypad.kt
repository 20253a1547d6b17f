package app.groschen.till.ui

import android.graphics.drawable.StateListDrawable
import android.view.View
import android.widget.Button
import app.groschen.till.R
import app.groschen.view.Touch

/** Ten digits, one back and one that takes what is typed. It stays while the figure above it changes. */
class Keypad(private val ui: Ui, enter: CharSequence?, private val money: Boolean = true) {
    private val done: Button? = enter?.let { ui.button(it, Weight.MAIN) { ui.touch(Touch.Enter) } }

    /** What to put on a page. */
    val root: View = ui.column(*rows().toTypedArray(), done).apply { id = R.id.keypad }

    /** Whether what is typed can be taken. */
    fun ready(ready: Boolean) {
        done?.enabledWhen(ready)
    }

    private fun rows(): List<View> {
        val digits = listOf(listOf(1, 2, 3), listOf(4, 5, 6), listOf(7, 8, 9)).map { row ->
            ui.row(*row.map { digit(it).stretched() }.toTypedArray())
        }
        // A PIN has no cents.
        val double = key("00", ui.text(R.string.key_digit, "00")) {
            ui.touch(Touch.Digit(0))
            ui.touch(Touch.Digit(0))
        }.apply { visibility = if (money) View.VISIBLE else View.INVISIBLE }
        val erase = key("\u232b", ui.text(R.string.key_delete)) { ui.touch(Touch.Erase) }
        val last = listOf(double, digit(0), erase)
        return digits + ui.row(*last.map { it.stretched() }.toTypedArray())
    }

    private fun digit(digit: Int): Button =
        key(digit.toString(), ui.text(R.string.key_digit, digit.toString())) { ui.touch(Touch.Digit(digit)) }

    private fun key(face: String, says: String, act: () -> Unit): Button = ui.button(face, act = act).apply {
        Type.TITLE.on(this)
        contentDescription = says
        background = StateListDrawable().apply {
            addState(intArrayOf(android.R.attr.state_pressed), ui.box(R.color.line))
            addState(intArrayOf(android.R.attr.state_focused), ui.box(R.color.tint, R.color.focus))
            addState(intArrayOf(), ui.box(R.color.tint, null))
        }
    }
}
