package app.groschen.till.screens

import android.view.View
import android.view.ViewGroup.LayoutParams.MATCH_PARENT
import android.view.ViewGroup.LayoutParams.WRAP_CONTENT
import android.widget.LinearLayout
import app.groschen.till.R
import app.groschen.till.ui.Slot
import app.groschen.till.ui.TileGrid
import app.groschen.till.ui.Type
import app.groschen.till.ui.Ui
import app.groschen.till.ui.column
import app.groschen.till.ui.label
import app.groschen.till.ui.padded
import app.groschen.till.ui.scrolling
import app.groschen.view.SalePage

/**
 * Selling. From top to bottom: tiles, the deposit row that never scrolls away, the cart. With large type the deposit row scrolls with the
 * tiles, because otherwise nothing would be left to tap.
 */
class SaleScreen(private val ui: Ui) : Screen<SalePage> {
    private val tiles = TileGrid(ui, isBack = false)
    private val none = Slot(ui.context)
    private val deposits = TileGrid(ui, isBack = true).apply { contentDescription = ui.text(R.string.deposit_row) }
    private val cart = CartStripView(ui)

    override val root: View = LinearLayout(ui.context).apply {
        orientation = LinearLayout.VERTICAL
        val goods = if (ui.largeType) ui.column(none, tiles, deposits, cart.buttons) else ui.column(none, tiles)
        addView(ui.scrolling(goods.padded(R.dimen.gap, R.dimen.gap_small)), LinearLayout.LayoutParams(MATCH_PARENT, 0, 1f))
        if (!ui.largeType) {
            addView(ui.column(deposits).padded(R.dimen.gap, R.dimen.gap), LinearLayout.LayoutParams(MATCH_PARENT, WRAP_CONTENT))
        }
        addView(cart, LinearLayout.LayoutParams(MATCH_PARENT, WRAP_CONTENT))
    }

    override fun show(page: SalePage) {
        none.show(page.tiles.isEmpty()) { if (it) ui.label(ui.text(R.string.tiles_none), Type.TITLE).padded(R.dimen.gap_large) else null }
        tiles.show(page.tiles, page.columns)
        deposits.show(page.deposits, page.columns)
        deposits.visibility = if (page.deposits.isEmpty()) View.GONE else View.VISIBLE
        cart.show(page)
    }
}
