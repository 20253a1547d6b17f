package app.groschen.till.keys

import java.security.GeneralSecurityException

/** The phone's key store refused, or is not there. Whoever asked must not go on without the key. */
open class KeyUnavailable(what: String, cause: Exception?) : GeneralSecurityException(what, cause)

/** The key was never made here, or the phone has lost it. */
class KeyMissing(what: String) : KeyUnavailable(what, null)
