package app.groschen.till.screens

import android.view.View
import android.view.ViewGroup
import android.widget.EditText
import android.widget.TextView
import app.groschen.till.GroschenRunner
import app.groschen.till.files.Wanted
import app.groschen.till.goldens.Look
import app.groschen.till.ui.PhoneSide
import app.groschen.till.ui.Wish
import app.groschen.view.Touch
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Before
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RuntimeEnvironment
import org.robolectric.annotation.Config

/** What is wanted of the phone itself goes to it and not to the core; what is the core's goes there. */
@RunWith(GroschenRunner::class)
@Config(sdk = [35])
class WishTest {
    private val wishes = ArrayList<Wish>()
    private val touched = ArrayList<Touch>()
    private lateinit var till: TillView

    @Before
    fun `a till`() {
        Look("de").apply()
        till = TillView(RuntimeEnvironment.getApplication(), PhoneSide({ wishes += it })) { touched += it }
    }

    private fun show(name: String) = till.show(Views.all.getValue(name), Views.beside(name))

    private fun all(root: View): List<View> =
        listOf(root) + ((root as? ViewGroup)?.let { group -> (0 until group.childCount).flatMap { all(group.getChildAt(it)) } } ?: emptyList())

    private fun named(words: String): View = all(till).first { (it as? TextView)?.text?.toString() == words && it.isClickable }

    private fun wished(name: String, words: String): List<Wish> {
        wishes.clear()
        show(name)
        named(words).performClick()
        return wishes.toList()
    }

    @Test
    fun `buttons of camera and files ask the phone for them`() {
        assertEquals(listOf(Wish.BeginScan), wished("register", "Code scannen"))
        assertEquals(listOf(Wish.BeginScan), wished("evacuation-taking", "Codes scannen"))
        assertEquals(listOf(Wish.Light), wished("scan", "Licht an"))
        assertEquals(listOf(Wish.StopScan), wished("scan-series", "Abbrechen"))
        assertEquals(listOf(Wish.Give), wished("evacuation", "Als Datei geben"))
        assertEquals(listOf(Wish.Take(Wanted.JOURNAL)), wished("evacuation-taking", "Datei nehmen"))
        assertEquals(listOf(Wish.Take(Wanted.KEYS)), wished("device", "Schlüssel der Bänder laden"))
        assertEquals(listOf(Wish.Forget), wished("keys-passphrase", "Abbrechen"))
        assertEquals(emptyList<Touch>(), touched)
    }

    @Test
    fun `a passphrase stays while it is typed, and goes to the phone only`() {
        show("keys-passphrase")
        named("Datei öffnen").performClick()
        assertEquals("nothing is typed yet", 0, wishes.size)
        all(till).filterIsInstance<EditText>().single().setText("correct horse")
        show("keys-locked")
        named("Datei öffnen").performClick()
        assertEquals("correct horse", (wishes.single() as Wish.Unlock).passphrase)
        assertEquals(emptyList<Touch>(), touched)
    }

    @Test
    fun `files count as being elsewhere when somebody says so, not when they are written`() {
        show("evacuation-written")
        assertEquals(emptyList<Touch>(), touched)
        named("Das andere Handy hat alle").performClick()
        assertEquals(listOf<Touch>(Touch.CopyTaken), touched)
        assertEquals(listOf<Wish>(Wish.Forget), wishes)
        show("evacuation-half-written")
        assertFalse(all(till).any { (it as? TextView)?.text == "Das andere Handy hat alle" })
    }
}
