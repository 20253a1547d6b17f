package app.groschen.till.device

/**
 * Day or night by how bright it is, with patience: a hand over the sensor, or a headlight, changes nothing.
 *
 * The two limits lie apart, so that dusk does not flicker between them.
 */
class DayOrNight(private var night: Boolean) {
    private var otherSinceMs: Long? = null

    /** Takes a reading of a monotonic clock's moment; says whether it is night now. */
    fun read(lux: Float, atMs: Long): Boolean {
        val other = if (night) lux >= DAY_LUX else lux <= NIGHT_LUX
        val since = otherSinceMs
        when {
            !other -> otherSinceMs = null
            since == null -> otherSinceMs = atMs
            atMs - since >= PATIENCE_MS -> {
                night = !night
                otherSinceMs = null
            }
        }
        return night
    }

    companion object {
        /** A lit bar counter at night has 20 to 50 lux. */
        const val NIGHT_LUX = 20f

        /** An overcast evening, half an hour before dark, still has some hundred. */
        const val DAY_LUX = 100f
        const val PATIENCE_MS = 30_000L
    }
}
