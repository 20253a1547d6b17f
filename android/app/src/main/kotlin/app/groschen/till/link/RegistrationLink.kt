package app.groschen.till.link

import android.content.Intent

/**
 * The text of a registration code that came by a link: any app that reads QR codes opens the till with it, which needs no camera of
 * its own. What the text means, and whether it may be used, the core says.
 */
object RegistrationLink {
    private const val SCHEME = "GROSCHEN:"

    // A code has some hundred letters; what another app sends may have any number.
    private const val MOST_CHARACTERS = 4096

    /** Null if the intent is none of ours. */
    fun text(intent: Intent): String? {
        if (intent.action != Intent.ACTION_VIEW) return null
        val link = intent.dataString ?: return null
        if (link.length > MOST_CHARACTERS || !link.startsWith(SCHEME, ignoreCase = true)) return null
        // Browsers write a scheme in small letters.
        return SCHEME + link.substring(SCHEME.length)
    }
}
