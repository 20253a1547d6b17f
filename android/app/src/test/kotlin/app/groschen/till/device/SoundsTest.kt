package app.groschen.till.device

import android.media.AudioManager
import android.os.VibrationAttributes
import android.os.Vibrator
import app.groschen.till.GroschenRunner
import org.junit.After
import org.junit.Assert.assertArrayEquals
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config
import org.robolectric.shadows.ShadowAudioTrack
import org.robolectric.shadows.ShadowVibrator

@RunWith(GroschenRunner::class)
@Config(sdk = [35])
class SoundsTest {
    private val app = RuntimeEnvironment.getApplication()
    private val vibrator: ShadowVibrator = shadowOf(checkNotNull(app.getSystemService(Vibrator::class.java)))
    private val written = mutableListOf<ByteArray>()
    private val listener = ShadowAudioTrack.OnAudioDataWrittenListener { _, data, _ -> written += data.copyOf() }

    init {
        vibrator.setHasVibrator(true)
        ShadowAudioTrack.addAudioDataListener(listener)
    }

    @After
    fun deaf() = ShadowAudioTrack.removeAudioDataListener(listener)

    @Test
    fun `each cue has its own vibration, also where touch feedback is off`() {
        Sounds(app).use { sounds ->
            for ((cue, pattern) in listOf(
                Cue.Done to longArrayOf(0, 250),
                Cue.Refused to longArrayOf(0, 90, 70, 90, 70, 90),
                Cue.Again to longArrayOf(0, 90, 110, 90),
                Cue.Seen to longArrayOf(0, 40),
            )) {
                sounds.play(cue)
                assertArrayEquals(pattern, vibrator.pattern)
                assertEquals(-1, vibrator.repeat)
                assertEquals(VibrationAttributes.USAGE_ALARM, (vibrator.vibrationAttributesFromLastVibration as VibrationAttributes).usage)
            }
        }
    }

    @Test
    fun `the sounds lie ready and can be played again and again`() {
        Sounds(app).use { sounds ->
            assertEquals(Cue.entries.filter { it != Cue.Seen }.map { Tone.of(it).size }, written.map { it.size })
            repeat(3) { Cue.entries.forEach(sounds::play) }
        }
    }

    @Test
    fun `a till that shall be silent still vibrates`() {
        Sounds(app).use { it.play(Cue.Done, sound = false) }
        assertArrayEquals(longArrayOf(0, 250), vibrator.pattern)
    }

    @Test
    fun `a till that shall not vibrate does not`() {
        Sounds(app).use { it.play(Cue.Done, vibration = false) }
        assertFalse(vibrator.isVibrating)
    }

    @Test
    fun `a till is heard at full volume`() {
        val audio = checkNotNull(app.getSystemService(AudioManager::class.java))
        audio.setStreamVolume(AudioManager.STREAM_MUSIC, 1, 0)
        Sounds(app).use(Sounds::loudest)
        assertTrue(audio.getStreamVolume(AudioManager.STREAM_MUSIC) == audio.getStreamMaxVolume(AudioManager.STREAM_MUSIC))
    }
}
