package app.groschen.till.screens

import android.graphics.Paint
import android.graphics.Rect
import android.view.View
import android.view.View.MeasureSpec
import android.view.ViewGroup
import android.widget.EditText
import android.widget.ScrollView
import android.widget.TextView
import app.groschen.till.GroschenRunner
import app.groschen.till.R
import app.groschen.till.goldens.Look
import app.groschen.till.ui.PhoneSide
import app.groschen.till.ui.QrView
import app.groschen.till.ui.TileView
import app.groschen.view.Page
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RuntimeEnvironment
import org.robolectric.annotation.Config

/** Whether all of it can be read, heard and hit: no letter is cut off, every button has words for TalkBack and room for a glove. */
@RunWith(GroschenRunner::class)
@Config(sdk = [35])
class ReadingTest {
    @Test
    fun `no letter is cut off at double size of type, nor on a small phone`() {
        val wrong = ArrayList<String>()
        each(listOf(Look("de", fontScale = 2f), Look("en", fontScale = 2f))) { name, root -> wrong += clipped(root).map { "$name: $it" } }
        each(listOf(Look("de"), Look("en", fontScale = 1.3f)), SMALL_PHONE) { name, root -> wrong += clipped(root).map { "$name, small: $it" } }
        assertEquals(wrong.joinToString("\n"), 0, wrong.size)
    }

    @Test
    fun `everything that can be pressed has words and is large enough for a glove`() {
        val wrong = ArrayList<String>()
        each(listOf(Look("de"))) { name, root ->
            val touch = root.resources.getDimensionPixelSize(R.dimen.touch)
            for (view in all(root).filter { it.isClickable && it.isEnabled && reachable(it) }) {
                val words = view.contentDescription ?: (view as? TextView)?.text?.ifEmpty { view.hint }
                val isPanel = view.parent is NoticeView
                if (words.isNullOrBlank() && !isPanel) wrong += "$name: ${view.javaClass.simpleName} says nothing"
                if (view.width < touch || view.height < touch) wrong += "$name: “$words” is ${view.width} x ${view.height}"
            }
        }
        assertEquals(wrong.distinct().joinToString("\n"), 0, wrong.size)
    }

    @Test
    fun `the longest code of a receipt has three pixels a module on a narrow phone of coarse pixels`() {
        Look("de").apply()
        RuntimeEnvironment.setQualifiers("+$NARROW_PHONE")
        for ((name, view) in Views.carried) {
            val code = all(shown(view)).filterIsInstance<QrView>().single()
            assertTrue("$name: ${code.modulePixels} pixels of ${code.width} x ${code.height}", code.modulePixels >= 3)
        }
    }

    @Test
    fun `a result is read out at once, whatever was being read`() {
        Look("de").apply()
        val result = shown(Views.all.getValue("paid")).findViewById<View>(R.id.result)
        assertEquals(View.ACCESSIBILITY_LIVE_REGION_ASSERTIVE, result?.accessibilityLiveRegion)
    }

    @Test
    fun `a tile says its name, its price and how many are in the cart`() {
        Look("de").apply()
        val till = shown(Samples.view(Page.Sale(Samples.cartSale)))
        val said = all(till).mapNotNull { it.contentDescription?.toString() }
        assertTrue("$said", "Pils 0,4 l, 4,50\u202f€, 2 im Warenkorb" in said)
        assertTrue("$said", "Wodka-Mate, 8,50\u202f€, eins im Warenkorb" in said)
        assertTrue("$said", "Becher zurück, \u22122,00\u202f€, eins im Warenkorb" in said)
        assertTrue("$said", "Eins weniger: Pils 0,4 l" in said)
        assertTrue("$said", "Cola, 3,50\u202f€" in said)
    }

    @Test
    fun `tiles stay where they are whatever the cart and the result`() {
        for (scale in listOf(1f, 2f)) {
            Look("de", fontScale = scale).apply()
            val empty = places(shown(Samples.view(Page.Sale(Samples.emptySale))))
            val till = TillView(RuntimeEnvironment.getApplication()) {}
            for (name in listOf("sale-empty", "sale-cart", "sale-credit", "sale-settling", "paid", "refused-too-low")) {
                till.show(Views.all.getValue(name))
                layOut(till)
                assertEquals(name, empty, places(till))
            }
        }
    }

    private fun places(till: TillView): List<Rect> = all(till).filter { it is TileView }.map { tile ->
        Rect(0, 0, tile.width, tile.height).also { till.offsetDescendantRectToMyCoords(tile, it) }
    }

    private fun each(looks: List<Look>, qualifiers: String? = null, then: (String, TillView) -> Unit) {
        for (look in looks) {
            look.apply()
            if (qualifiers != null) RuntimeEnvironment.setQualifiers("+$qualifiers")
            // One window for all, as on a phone: what one page leaves behind would show on the next.
            val till = TillView(RuntimeEnvironment.getApplication(), PhoneSide(picture = ::StandIn)) {}
            for ((name, view) in Views.all) {
                till.show(view.seenAs(look), Views.beside(name))
                layOut(till)
                then("$name-${look.label}", till)
            }
        }
    }

    private fun shown(view: app.groschen.view.View): TillView =
        TillView(RuntimeEnvironment.getApplication()) {}.also {
            it.show(view)
            layOut(it)
        }

    private fun layOut(till: TillView) {
        val screen = till.resources.displayMetrics
        till.measure(
            MeasureSpec.makeMeasureSpec(screen.widthPixels, MeasureSpec.EXACTLY),
            MeasureSpec.makeMeasureSpec(screen.heightPixels, MeasureSpec.EXACTLY),
        )
        till.layout(0, 0, screen.widthPixels, screen.heightPixels)
    }

    /** Texts whose letters do not fit into them, and views that reach beyond what they are in where nothing scrolls. */
    private fun clipped(root: View): List<String> = all(root).filter { it.isShownIn(root) }.mapNotNull { view ->
        val parent = view.parent as? ViewGroup
        val words = (view as? TextView)?.text?.toString() ?: view.javaClass.simpleName
        when {
            view is TextView && view !is EditText && view.breaksAWord() -> "“$words” is broken within a word, without a hyphen"
            view is TextView && view !is EditText && !view.fits() -> "“$words” does not fit into ${view.width} x ${view.height}"
            parent != null && parent !is ScrollView && (view.bottom > parent.height || view.right > parent.width || view.left < 0 || view.top < 0) ->
                "“$words” reaches beyond its ${parent.javaClass.simpleName}"
            else -> null
        }
    }

    private fun TextView.breaksAWord(): Boolean {
        val lines = layout ?: return false
        return (0 until lines.lineCount - 1).any { line ->
            val end = lines.getLineEnd(line)
            text[end - 1].isLetter() && text[end].isLetter() && lines.getEndHyphenEdit(line) == Paint.END_HYPHEN_EDIT_NO_EDIT
        }
    }

    private fun TextView.fits(): Boolean {
        val lines = layout ?: return text.isEmpty()
        val room = width - compoundPaddingLeft - compoundPaddingRight
        val shown = if (ellipsize == null) lines.height else minOf(lines.height, height)
        val isCut = ellipsize == null && (0 until lines.lineCount).any { lines.getEllipsisCount(it) > 0 }
        val isWide = (0 until lines.lineCount).any { lines.getLineMax(it) > room + 1 }
        return !isCut && !isWide && shown + compoundPaddingTop + compoundPaddingBottom <= height + 1
    }

    private fun View.isShownIn(root: View): Boolean =
        visibility == View.VISIBLE && (this === root || (parent as? View)?.isShownIn(root) == true)

    /** Not beneath a result that covers it. */
    private fun reachable(view: View): Boolean = view.isShownIn(view.rootView)

    private fun all(root: View): List<View> =
        listOf(root) + ((root as? ViewGroup)?.let { group -> (0 until group.childCount).flatMap { all(group.getChildAt(it)) } } ?: emptyList())

    private companion object {
        const val SMALL_PHONE = "w360dp-h640dp"
        const val NARROW_PHONE = "w360dp-h640dp-hdpi"
    }
}
