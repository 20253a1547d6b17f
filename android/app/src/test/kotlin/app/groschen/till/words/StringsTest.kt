package app.groschen.till.words

import java.io.File
import javax.xml.parsers.DocumentBuilderFactory
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test
import org.w3c.dom.Element

/** The tables of words themselves. */
class StringsTest {
    private val main = File(checkNotNull(System.getProperty("goldens.folder")), "../../main")
    private val english = table("values")
    private val german = table("values-de")

    @Test
    fun `nothing falls back to English in German`() {
        assertEquals(emptySet<String>(), english.keys - german.keys - "app_name")
        assertEquals(emptySet<String>(), german.keys - english.keys)
        val same = english.filter { (name, words) -> german[name] == words && words.any { text -> LETTERS.containsMatchIn(text.replace(PLACE, "")) } }
        assertEquals(SAME_IN_BOTH, same.keys)
    }

    @Test
    fun `both languages have the same places for figures and names`() {
        for ((name, words) in english) {
            val places = { texts: List<String> -> texts.flatMap { text -> PLACE.findAll(text).map { it.value } }.toSet() }
            assertEquals(name, places(words), places(german.getValue(name)))
        }
    }

    @Test
    fun `crew and guests are said du to`() {
        val formal = german.filter { (_, words) -> words.any { Regex("\\b(Ihnen|Ihre?[mnrs]?|haben Sie|bitte Sie|Sie bitte)\\b").containsMatchIn(it) } }
        assertEquals(emptyMap<String, List<String>>(), formal)
    }

    @Test
    fun `every sentence is said somewhere`() {
        val sources = main.resolve("kotlin").walk().filter { it.extension == "kt" }.joinToString("\n") { it.readText() } +
            main.resolve("AndroidManifest.xml").readText()
        val unused = english.keys.filterNot { Regex("(R\\.(string|plurals)\\.|@string/)$it\\b").containsMatchIn(sources) }
        assertTrue("$unused", unused.isEmpty())
    }

    private fun table(folder: String): Map<String, List<String>> {
        val files = main.resolve("res/$folder").listFiles { file -> file.name.startsWith("strings") }.orEmpty()
        return files.flatMap { file ->
            val document = DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(file)
            val nodes = document.documentElement.childNodes
            (0 until nodes.length).map(nodes::item).filterIsInstance<Element>().map { it.getAttribute("name") to texts(it) }
        }.toMap()
    }

    private fun texts(element: Element): List<String> {
        val items = element.getElementsByTagName("item")
        return if (items.length == 0) listOf(element.textContent) else (0 until items.length).map { items.item(it).textContent }
    }

    private companion object {
        val PLACE = Regex("%(\\d\\$)?[sd%]")
        val LETTERS = Regex("\\p{L}")

        /** Words that are the same in both languages. */
        val SAME_IN_BOTH = setOf(
            "app_name", "pill_online", "pill_offline", "seconds", "minutes", "guide_offline", "language_de", "language_en", "device_app",
            "device_terminal", "device_update", "register_example", "register_server", "register_confirm_says",
        )
    }
}
