package app.groschen.till.device

/**
 * What a cashier must hear and feel without looking. They differ in rhythm, not only in pitch: at 100 dB pitch is lost.
 *
 * The pulses are those of both sound and vibration: on and off in milliseconds, starting with on.
 */
enum class Cue(internal val pulsesMs: List<Int>, internal val hertz: Int, internal val audible: Boolean = true) {
    /** The chip was seen: keep it there. Felt only, a sound would be taken for the end. */
    Seen(listOf(40), hertz = 0, audible = false),
    Done(listOf(250), hertz = 1760),
    Refused(listOf(90, 70, 90, 70, 90), hertz = 440),

    /** Hold again, or hold another one. */
    Again(listOf(90, 110, 90), hertz = 1175),

    /** This wristband has paid already: nothing is wrong, and nothing was booked. */
    Already(listOf(90, 110, 250), hertz = 1175),

    /** Something is shown; nobody waits for it. */
    Info(listOf(60), hertz = 1760),

    /** Whether it can be heard and felt at all. */
    Test(listOf(250, 150, 90, 70, 90, 70, 90), hertz = 1175),
}
