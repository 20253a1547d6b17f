package app.groschen.till.link

import android.content.Intent
import android.net.Uri
import app.groschen.till.GroschenRunner
import app.groschen.till.TillActivity
import org.junit.Assert.assertEquals
import org.junit.Assert.assertNull
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RuntimeEnvironment
import org.robolectric.annotation.Config

@RunWith(GroschenRunner::class)
@Config(sdk = [35])
class RegistrationLinkTest {
    private fun view(link: String) = Intent(Intent.ACTION_VIEW, Uri.parse(link))

    @Test
    fun `a code that another app has read opens the till, however it writes the scheme`() {
        val app = RuntimeEnvironment.getApplication()
        for (link in listOf("GROSCHEN:1:ABC-123", "groschen:1:ABC-123")) {
            val found = app.packageManager.resolveActivity(view(link).addCategory(Intent.CATEGORY_BROWSABLE), 0)
            assertEquals(link, TillActivity::class.java.name, found?.activityInfo?.name)
            assertEquals("GROSCHEN:1:ABC-123", RegistrationLink.text(view(link)))
        }
    }

    @Test
    fun `what is no code is none`() {
        assertNull(RegistrationLink.text(Intent(Intent.ACTION_MAIN)))
        assertNull(RegistrationLink.text(Intent(Intent.ACTION_VIEW)))
        assertNull(RegistrationLink.text(view("https://example.org/GROSCHEN:1:ABC")))
        assertNull(RegistrationLink.text(Intent("groschen.OTHER", Uri.parse("GROSCHEN:1:ABC"))))
        assertNull(RegistrationLink.text(view("GROSCHEN:1:" + "A".repeat(5000))))
    }
}
