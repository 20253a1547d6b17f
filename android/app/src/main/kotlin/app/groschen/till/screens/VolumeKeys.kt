package app.groschen.till.screens

import android.view.KeyEvent
import app.groschen.view.Page
import app.groschen.view.Touch

/**
 * What a volume key means on a page: with wet gloves they are the only keys that are surely hit. Down takes the last piece out of the cart,
 * up sells the same again. On other pages they stay what they are.
 */
fun touchOfKey(keyCode: Int, page: Page): Touch? {
    val sale = (page as? Page.Sale)?.v1 ?: return null
    return when (keyCode) {
        KeyEvent.KEYCODE_VOLUME_DOWN -> if (sale.cart != null) Touch.MinusLast else null
        KeyEvent.KEYCODE_VOLUME_UP -> if (sale.cart == null && sale.sameAgain != null) Touch.SameAgain else null
        else -> null
    }
}
