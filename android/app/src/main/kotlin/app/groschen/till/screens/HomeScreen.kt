package app.groschen.till.screens

import android.view.View
import app.groschen.till.R
import app.groschen.till.ui.Flow
import app.groschen.till.ui.Slot
import app.groschen.till.ui.Type
import app.groschen.till.ui.Ui
import app.groschen.till.ui.Weight
import app.groschen.till.ui.button
import app.groschen.till.ui.column
import app.groschen.till.ui.page
import app.groschen.till.ui.title
import app.groschen.till.words.tile
import app.groschen.view.HomeTile
import app.groschen.view.Place
import app.groschen.view.Touch

/** What there is to do here: the work of this till large and first, the rest below. */
class HomeScreen(private val ui: Ui) : Screen<List<HomeTile>> {
    private val slot = Slot(ui.context)
    override val root: View = slot

    override fun show(page: List<HomeTile>) = slot.show(page) { tiles ->
        val (work, rest) = tiles.partition { it in WORK }
        ui.page(
            ui.column(
                ui.title(ui.text(R.string.home_title)),
                Flow(ui, work.map { open(it, Weight.MAIN, ui.size(R.dimen.home_tile)) }, COLUMNS),
                Flow(ui, rest.map { open(it, Weight.PLAIN, ui.size(R.dimen.tile_height)) }, COLUMNS),
                gap = R.dimen.gap_large,
            ),
        )
    }

    private fun open(tile: HomeTile, weight: Weight, height: Int): View =
        ui.button(ui.tile(tile), weight) { ui.touch(Touch.Open(placeOf(tile))) }.apply {
            minHeight = height
            minimumHeight = height
            if (weight == Weight.MAIN) Type.TITLE.on(this)
        }

    private fun placeOf(tile: HomeTile): Place = when (tile) {
        HomeTile.SALE -> Place.SALE
        HomeTile.TOP_UP -> Place.TOP_UP
        HomeTile.PAY_OUT -> Place.PAY_OUT
        HomeTile.BAND -> Place.BAND
        HomeTile.HISTORY -> Place.HISTORY
        HomeTile.TRAINING -> Place.TRAINING
        HomeTile.GUIDE -> Place.GUIDE
        HomeTile.DEVICE -> Place.DEVICE
        HomeTile.SHIFT_END -> Place.SHIFT_END
    }

    private companion object {
        const val COLUMNS = 2
        val WORK = setOf(HomeTile.SALE, HomeTile.TOP_UP, HomeTile.PAY_OUT, HomeTile.BAND)
    }
}
