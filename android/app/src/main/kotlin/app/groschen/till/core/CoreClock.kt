package app.groschen.till.core

import app.groschen.core.Clock
import app.groschen.till.device.PhoneClock

/** The phone's clocks as the core wants them. */
internal class CoreClock(private val clock: PhoneClock) : Clock {
    override fun wallMs(): Long = clock.wallMs()

    override fun elapsedMs(): Long = clock.monotonicMs()
}
