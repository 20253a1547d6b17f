package app.groschen.till.device

import android.content.Context
import android.media.AudioAttributes
import android.media.AudioFormat
import android.media.AudioManager
import android.media.AudioTrack
import android.os.Build
import android.os.VibrationEffect
import android.os.Vibrator
import android.os.VibratorManager

/** Sound and vibration of a till. The tracks are made once and wait in memory: a cue starts within milliseconds. */
class Sounds(context: Context) : AutoCloseable {
    private val audio = checkNotNull(context.getSystemService(AudioManager::class.java))
    private val vibrator = vibrator(context)
    private val tracks: Map<Cue, AudioTrack> = Cue.entries.filter { it.audible }.associateWith(::track)

    /** Both are given unless the till's settings say otherwise. Returns at once. */
    fun play(cue: Cue, sound: Boolean = true, vibration: Boolean = true) {
        if (vibration) vibrate(cue)
        if (sound) tracks[cue]?.let(::start)
    }

    /** A till at a bar is heard at full volume or not at all. */
    fun loudest() {
        val most = audio.getStreamMaxVolume(AudioManager.STREAM_MUSIC)
        try {
            audio.setStreamVolume(AudioManager.STREAM_MUSIC, most, 0)
        } catch (_: SecurityException) {
            // Do Not Disturb is on and not ours to end: the vibration stays.
        }
    }

    override fun close() = tracks.values.forEach(AudioTrack::release)

    private fun start(track: AudioTrack) {
        tracks.values.forEach { if (it.playState == AudioTrack.PLAYSTATE_PLAYING) it.stop() }
        track.reloadStaticData()
        track.play()
    }

    // As an alarm: a phone whose touch feedback is off, or that saves its battery, still tells paid from refused.
    @Suppress("DEPRECATION")
    private fun vibrate(cue: Cue) {
        if (!vibrator.hasVibrator()) return
        val timings = longArrayOf(0) + cue.pulsesMs.map(Int::toLong)
        val asAlarm = AudioAttributes.Builder().setUsage(AudioAttributes.USAGE_ALARM).build()
        vibrator.vibrate(VibrationEffect.createWaveform(timings, ONCE), asAlarm)
    }

    private companion object {
        const val ONCE = -1

        fun vibrator(context: Context): Vibrator = if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.S) {
            checkNotNull(context.getSystemService(VibratorManager::class.java)).defaultVibrator
        } else {
            checkNotNull(context.getSystemService(Vibrator::class.java))
        }

        fun track(cue: Cue): AudioTrack {
            val samples = Tone.of(cue)
            val track = AudioTrack.Builder()
                .setAudioAttributes(
                    AudioAttributes.Builder()
                        .setUsage(AudioAttributes.USAGE_MEDIA)
                        .setContentType(AudioAttributes.CONTENT_TYPE_SONIFICATION)
                        .build(),
                )
                .setAudioFormat(
                    AudioFormat.Builder()
                        .setSampleRate(Tone.SAMPLES_PER_S)
                        .setEncoding(AudioFormat.ENCODING_PCM_16BIT)
                        .setChannelMask(AudioFormat.CHANNEL_OUT_MONO)
                        .build(),
                )
                .setBufferSizeInBytes(samples.size)
                .setTransferMode(AudioTrack.MODE_STATIC)
                .build()
            track.write(samples, 0, samples.size)
            return track
        }
    }
}
