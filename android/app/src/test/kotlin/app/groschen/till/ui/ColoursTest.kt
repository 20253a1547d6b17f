package app.groschen.till.ui

import android.graphics.Color
import app.groschen.till.GroschenRunner
import app.groschen.till.R
import java.util.Locale
import kotlin.math.max
import kotlin.math.min
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RuntimeEnvironment
import org.robolectric.annotation.Config

@RunWith(GroschenRunner::class)
@Config(sdk = [35])
class ColoursTest {
    private val looks = listOf(false, true).map { night -> night to RuntimeEnvironment.getApplication().seenBy(Locale.ENGLISH, night) }

    @Test
    fun `all that is read stands out from its ground by seven to one`() {
        for ((night, context) in looks) for ((ground, ink) in PAIRS) {
            val contrast = contrast(context.getColor(ground), context.getColor(ink))
            val names = context.resources.getResourceEntryName(ink) + " on " + context.resources.getResourceEntryName(ground)
            assertTrue("$names ${if (night) "by night" else "by day"}: $contrast", contrast >= SEVEN)
        }
    }

    @Test
    fun `no result lights up a dark tent`() {
        val night = looks.last().second
        for (colours in Colours.entries) {
            val light = Color.luminance(night.getColor(colours.ground))
            assertTrue("$colours: $light", light <= DARK)
        }
        assertTrue(Color.luminance(night.getColor(R.color.ground)) <= DARK)
    }

    @Test
    fun `every result has a shape of its own`() {
        assertTrue(Colours.entries.map { it.shape }.distinct().size == Colours.entries.size)
    }

    private fun contrast(a: Int, b: Int): Float {
        val (one, other) = Color.luminance(a) to Color.luminance(b)
        return (max(one, other) + FLARE) / (min(one, other) + FLARE)
    }

    private companion object {
        const val SEVEN = 7f
        const val DARK = 0.1f
        const val FLARE = 0.05f
        val TILES = listOf(
            R.color.tile_0, R.color.tile_1, R.color.tile_2, R.color.tile_3, R.color.tile_4, R.color.tile_5, R.color.tile_6, R.color.tile_7,
        )
        val PAIRS = listOf(
            R.color.ground to R.color.ink,
            R.color.sheet to R.color.ink,
            R.color.tint to R.color.ink,
            R.color.ground to R.color.quiet,
            R.color.sheet to R.color.quiet,
            R.color.sheet to R.color.grave,
            R.color.ground to R.color.warn_text,
            R.color.ground to R.color.bad_text,
            R.color.ground to R.color.good_text,
            R.color.accent to R.color.on_accent,
            R.color.late to R.color.on_late,
            R.color.training to R.color.on_training,
        ) + Colours.entries.map { it.ground to it.ink } + TILES.map { it to R.color.on_tile }
    }
}
