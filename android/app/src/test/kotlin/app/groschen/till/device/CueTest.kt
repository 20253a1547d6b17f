package app.groschen.till.device

import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test
import java.nio.ByteBuffer
import java.nio.ByteOrder
import kotlin.math.abs

class CueTest {
    private fun samples(cue: Cue): List<Int> {
        val shorts = ByteBuffer.wrap(Tone.of(cue)).order(ByteOrder.LITTLE_ENDIAN).asShortBuffer()
        return List(shorts.remaining()) { shorts[it].toInt() }
    }

    /** Where it sounds, in steps of 10 ms. */
    private fun rhythm(cue: Cue): String =
        samples(cue).chunked(Tone.samplesIn(10)).joinToString("") { if (it.maxOf(::abs) > 3000) "#" else "." }

    @Test
    fun `paid is one long tone, refused three short ones, hold again two`() {
        assertEquals("#".repeat(25), rhythm(Cue.Done))
        assertEquals(listOf(9, 7, 9, 7, 9), runs(rhythm(Cue.Refused)))
        assertEquals(listOf(9, 11, 9), runs(rhythm(Cue.Again)))
    }

    @Test
    fun `no two have the same rhythm`() {
        assertEquals(Cue.entries.size, Cue.entries.map { it.pulsesMs }.distinct().size)
    }

    private fun runs(rhythm: String): List<Int> = Regex("#+|\\.+").findAll(rhythm).map { it.value.length }.toList()

    @Test
    fun `no tone starts or ends with a crack, and all are nearly as loud as can be`() {
        for (cue in Cue.entries.filter { it.audible }) {
            val samples = samples(cue)
            assertTrue(samples.zipWithNext().maxOf { (a, b) -> abs(a - b) } < Short.MAX_VALUE / 2)
            assertEquals(0, samples.first())
            assertTrue(abs(samples.last()) < 1000)
            assertTrue(samples.maxOf(::abs) > Short.MAX_VALUE / 2)
        }
    }
}
