package app.groschen.till.keys

import android.os.Build
import android.security.keystore.KeyInfo
import android.security.keystore.KeyProperties
import app.groschen.view.KeyPlace

/**
 * Where a key lives, as Android says it: for people to see, and a proof to nobody.
 *
 * Software is a process of the system: whoever has taken over the phone may have the key.
 */
internal fun placeOf(key: KeyInfo): KeyPlace {
    if (Build.VERSION.SDK_INT < Build.VERSION_CODES.S) {
        @Suppress("DEPRECATION")
        return if (key.isInsideSecureHardware) KeyPlace.HARDWARE else KeyPlace.SOFTWARE
    }
    return when (key.securityLevel) {
        KeyProperties.SECURITY_LEVEL_TRUSTED_ENVIRONMENT,
        KeyProperties.SECURITY_LEVEL_STRONGBOX,
        KeyProperties.SECURITY_LEVEL_UNKNOWN_SECURE,
        -> KeyPlace.HARDWARE
        KeyProperties.SECURITY_LEVEL_SOFTWARE -> KeyPlace.SOFTWARE
        else -> KeyPlace.UNKNOWN
    }
}
