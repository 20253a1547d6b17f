package app.groschen.till.core

import app.groschen.core.Effects
import app.groschen.core.Signal
import app.groschen.till.device.Cue
import app.groschen.till.device.Sounds

/** What the phone does without being drawn, as the core wants it. */
internal class CoreEffects(private val sounds: Sounds, private val onLeaveKiosk: () -> Unit) : Effects {
    override fun play(signal: Signal) = sounds.play(cue(signal))

    override fun leaveKiosk() = onLeaveKiosk()

    internal companion object {
        fun cue(signal: Signal): Cue = when (signal) {
            Signal.SEEN -> Cue.Seen
            Signal.DONE -> Cue.Done
            Signal.REFUSED -> Cue.Refused
            Signal.AGAIN -> Cue.Again
            Signal.ALREADY -> Cue.Already
            Signal.INFO -> Cue.Info
            Signal.TEST -> Cue.Test
        }
    }
}
