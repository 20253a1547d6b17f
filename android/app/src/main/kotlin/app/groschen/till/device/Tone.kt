package app.groschen.till.device

import java.nio.ByteBuffer
import java.nio.ByteOrder
import kotlin.math.PI
import kotlin.math.min
import kotlin.math.sin

/** Makes the samples of a [Cue]: nothing is recorded, so nothing has to be shipped or licensed. */
internal object Tone {
    const val SAMPLES_PER_S = 44_100

    // Where a pulse starts and ends at full strength, a speaker cracks.
    private const val RAMP_MS = 5
    private const val STRENGTH = 0.9 * Short.MAX_VALUE

    // The third harmonic carries on a phone's small speaker, which hardly has the first.
    private const val THIRD = 0.3

    /** One channel of 16 bits, little-endian. */
    fun of(cue: Cue): ByteArray {
        val bytes = ByteBuffer.allocate(cue.pulsesMs.sumOf(::samplesIn) * Short.SIZE_BYTES).order(ByteOrder.LITTLE_ENDIAN)
        cue.pulsesMs.forEachIndexed { i, ms ->
            val count = samplesIn(ms)
            for (n in 0 until count) bytes.putShort(if (i % 2 == 0) sample(n, count, cue.hertz) else 0)
        }
        return bytes.array()
    }

    fun samplesIn(ms: Int): Int = SAMPLES_PER_S * ms / 1000

    private fun sample(n: Int, count: Int, hertz: Int): Short {
        val angle = 2 * PI * hertz * n / SAMPLES_PER_S
        val wave = (sin(angle) + THIRD * sin(3 * angle)) / (1 + THIRD)
        val ramp = min(1.0, min(n, count - 1 - n).toDouble() / samplesIn(RAMP_MS))
        return (wave * ramp * STRENGTH).toInt().toShort()
    }
}
