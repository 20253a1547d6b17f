package app.groschen.till.words

import app.groschen.till.GroschenRunner
import app.groschen.till.screens.Samples
import app.groschen.till.ui.Ui
import app.groschen.till.ui.seenBy
import app.groschen.view.Ability
import app.groschen.view.Alarm
import app.groschen.view.Blocked
import app.groschen.view.Check
import app.groschen.view.CheckKind
import app.groschen.view.CheckState
import app.groschen.view.DoneKind
import app.groschen.view.ExerciseKind
import app.groschen.view.HomeTile
import app.groschen.view.KeyPlace
import app.groschen.view.Network
import app.groschen.view.NetworkKind
import app.groschen.view.OrderKind
import app.groschen.view.Pill
import app.groschen.view.PillState
import app.groschen.view.Reason
import app.groschen.view.Refusal
import app.groschen.view.Tender
import java.util.Locale
import org.junit.Assert.assertEquals
import org.junit.Assert.assertNotEquals
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RuntimeEnvironment
import org.robolectric.annotation.Config

@RunWith(GroschenRunner::class)
@Config(sdk = [35])
class WordsTest {
    private val german = ui(Locale.GERMAN)
    private val english = ui(Locale.ENGLISH)

    @Test
    fun `every refusal says what is wrong and what to do now, in both languages`() {
        for (refusal in codes<Refusal>()) {
            val (de, en) = german.refusal(refusal) to english.refusal(refusal)
            assertTrue("$refusal: $de", de.what.isNotBlank() && de.now.isNotBlank())
            assertTrue("$refusal: $en", en.what.isNotBlank() && en.now.isNotBlank())
            assertNotEquals("$refusal", de.what, en.what)
            assertNotEquals("$refusal", de.now, en.now)
        }
    }

    @Test
    fun `refusals differ from each other, so that nobody does the wrong thing now`() {
        val said = codes<Refusal>().map { german.refusal(it) }
        // A wristband that was held too shortly is one thing to the cashier, whatever the reason.
        assertEquals(said.size, said.distinct().size)
    }

    @Test
    fun `where nobody knows whether it was paid, nobody is told that nothing was charged`() {
        assertEquals(Untouched.UNSAID, untouchedBy(Refusal.AskBooks))
        assertEquals(Untouched.CHARGED, untouchedBy(Refusal.NotOurs))
        assertEquals(Untouched.BOOKED, untouchedBy(Refusal.Frozen))
    }

    @Test
    fun `every alarm, result, pill and check has words of its own in both languages`() {
        for (alarm in codes<Alarm>()) assertNotEquals("$alarm", german.alarm(alarm), english.alarm(alarm))
        for (kind in codes<DoneKind>()) {
            val done = Samples.done(kind)
            assertNotEquals("$kind", german.headline(done), english.headline(done))
        }
        for (state in PillState.entries) assertTrue(german.pill(Pill(state, 0, null), 0).isNotBlank())
        assertEquals(PillState.entries.size, PillState.entries.map { german.pill(Pill(it, 0, null), 0) }.distinct().size)
        for (kind in CheckKind.entries) for (state in CheckState.entries) {
            val check = Check(kind, state, 7)
            assertNotEquals("$check", german.check(check), english.check(check))
        }
    }

    @Test
    fun `every other code has words of its own in both languages`() {
        said(Ability.entries) { ability(it) }
        said(ExerciseKind.entries) { exercise(it) }
        said(HomeTile.entries) { tile(it) }
        said(KeyPlace.entries) { key(it) }
        said(OrderKind.entries) { kind(it) }
        said(Reason.entries) { reason(it) }
        said(Tender.entries) { tender(it) }
        said(CheckState.entries) { state(it) }
        said(NetworkKind.entries) { network(Network(it, 3)) }
        // The queue behind a guest reads no more than it needs: two reasons share their words.
        assertEquals(Blocked.entries.size - 1, Blocked.entries.map { german.blocked(it) }.distinct().size)
    }

    @Test
    fun `the pill says how much waits also when it is online`() {
        assertEquals("Sendet · 3", german.pill(Pill(PillState.SENDING, 3, null), 0))
        assertEquals("Offline · 12 · 4\u00a0min", german.pill(Samples.offline, Samples.NOW_MS).replace('\u202f', '\u00a0').replace(" min", "\u00a0min"))
        assertEquals("Attention · 212 · 1 h", english.pill(Samples.attention, Samples.NOW_MS))
    }

    @Test
    fun `one is not several`() {
        assertEquals("Eine Buchung ist noch nicht gesendet", german.refusal(Refusal.Unsent(1, 850)).what)
        assertEquals("7 bookings are not sent yet", english.refusal(Refusal.Unsent(7, 850)).what)
    }

    private fun <T> said(codes: List<T>, words: Ui.(T) -> String) {
        val de = codes.map { german.words(it) }
        val en = codes.map { english.words(it) }
        assertEquals("$codes in German", codes.size, de.distinct().size)
        assertEquals("$codes in English", codes.size, en.distinct().size)
        assertTrue("$codes", de.none { it.isBlank() } && de != en)
    }

    private fun ui(language: Locale) = Ui(RuntimeEnvironment.getApplication().seenBy(language, night = false), "Europe/Berlin") {}
}

/** Every code of a sealed class, with made-up figures: a code that is new in the core is in the tests at once. */
internal inline fun <reified T : Any> codes(): List<T> = T::class.java.declaredClasses
    .filter { T::class.java.isAssignableFrom(it) }
    .map { code ->
        val instance = code.fields.find { it.name == "INSTANCE" }?.get(null) ?: code.declaredConstructors.first { made ->
            made.parameterTypes.none { it.name.endsWith("DefaultConstructorMarker") }
        }.run { newInstance(*parameterTypes.map(::example).toTypedArray()) }
        T::class.java.cast(instance)
    }

/** A value of a type that a code carries. */
internal fun example(type: Class<*>): Any = when {
    type == Long::class.java -> 850L
    type == Int::class.java -> 3
    type == Boolean::class.java -> true
    type == String::class.java -> "1617"
    type == List::class.java -> emptyList<Any>()
    type.isEnum -> type.enumConstants.first()
    else -> 850L
}
