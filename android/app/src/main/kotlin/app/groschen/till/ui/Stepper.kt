package app.groschen.till.ui

import android.view.View
import app.groschen.till.R

/** One kind of thing with how many there are, a minus and a plus: counting with gloves, without a keyboard. */
fun Ui.stepper(what: String, count: Int, set: (Int) -> Unit): View {
    val less = button("\u2212") { if (count > 0) set(count - 1) }.enabledWhen(count > 0)
    less.contentDescription = text(R.string.stepper_less, what)
    val more = button("+") { set(count + 1) }
    more.contentDescription = text(R.string.stepper_more, what)
    listOf(less, more).forEach(Type.TITLE::on)
    val figure = label(figures.count(count.toLong()), Type.TITLE).centred().apply { minWidth = size(R.dimen.touch) }
    return row(label(what, Type.CAPTION).stretched(), less, figure, more)
}
