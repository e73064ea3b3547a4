package com.proxymesh

import java.time.LocalDate

/**
 * Bearer tokens. These calls take the account's username and password only: with a token they fail with
 * [BasicAuthRequiredException], and nothing is sent. From [Client.tokens].
 */
public class Tokens internal constructor(private val calls: Calls) {
    /**
     * The tokens, without their secrets: `GET /api/tokens/`.
     *
     * @param username the sub-account whose tokens are meant, if not the caller's.
     */
    public suspend fun list(username: String? = null): List<Token> =
        calls.make { tokensList(username).map { it.translated() } }

    /**
     * Creates a token: `POST /api/token/create/`. Its secret is in the answer, this once. It is never sent twice.
     *
     * @param label a note to keep with it, at most 100 characters.
     * @param expiresAt the date on which it expires; never by default.
     * @param username the sub-account it is for, if not the caller.
     * @throws PlanLimitException the plan has no tokens, or no more.
     * @throws OutcomeUnknownException no answer came; [list] tells whether it was created.
     */
    public suspend fun create(
        label: String? = null,
        expiresAt: LocalDate? = null,
        username: String? = null,
    ): NewToken =
        calls.make { tokensCreate(label, expiresAt?.toString(), username).translated() }

    /**
     * Makes a token usable again: `POST /api/token/activate/`.
     *
     * @param id the token's number.
     * @param username the sub-account it belongs to, if not the caller.
     * @throws BadRequestException it has expired.
     */
    public suspend fun activate(id: Long, username: String? = null): Token =
        calls.make { tokensActivate(id, username).translated() }

    /**
     * Makes a token unusable until it is activated: `POST /api/token/deactivate/`.
     *
     * @param id the token's number.
     * @param username the sub-account it belongs to, if not the caller.
     */
    public suspend fun deactivate(id: Long, username: String? = null): Token =
        calls.make { tokensDeactivate(id, username).translated() }

    /**
     * Deletes a token for good: `POST /api/token/delete/`.
     *
     * @param id the token's number.
     * @param username the sub-account it belongs to, if not the caller.
     */
    public suspend fun delete(id: Long, username: String? = null): Unit = calls.make { tokensDelete(id, username) }
}

/**
 * Bearer tokens. These calls take the account's username and password only: with a token they fail with
 * [BasicAuthRequiredException], and nothing is sent. From [BlockingClient.tokens].
 */
public class BlockingTokens internal constructor(private val calls: BlockingCalls) {
    /**
     * The tokens, without their secrets: `GET /api/tokens/`.
     *
     * @param username the sub-account whose tokens are meant, if not the caller's.
     */
    @JvmOverloads
    public fun list(username: String? = null): List<Token> = calls.make { tokensList(username).map { it.translated() } }

    /**
     * Creates a token: `POST /api/token/create/`. Its secret is in the answer, this once. It is never sent twice.
     *
     * @param label a note to keep with it, at most 100 characters.
     * @param expiresAt the date on which it expires; never by default.
     * @param username the sub-account it is for, if not the caller.
     * @throws PlanLimitException the plan has no tokens, or no more.
     * @throws OutcomeUnknownException no answer came; [list] tells whether it was created.
     */
    @JvmOverloads
    public fun create(label: String? = null, expiresAt: LocalDate? = null, username: String? = null): NewToken =
        calls.make { tokensCreate(label, expiresAt?.toString(), username).translated() }

    /**
     * Makes a token usable again: `POST /api/token/activate/`.
     *
     * @param id the token's number.
     * @param username the sub-account it belongs to, if not the caller.
     * @throws BadRequestException it has expired.
     */
    @JvmOverloads
    public fun activate(id: Long, username: String? = null): Token =
        calls.make { tokensActivate(id, username).translated() }

    /**
     * Makes a token unusable until it is activated: `POST /api/token/deactivate/`.
     *
     * @param id the token's number.
     * @param username the sub-account it belongs to, if not the caller.
     */
    @JvmOverloads
    public fun deactivate(id: Long, username: String? = null): Token =
        calls.make { tokensDeactivate(id, username).translated() }

    /**
     * Deletes a token for good: `POST /api/token/delete/`.
     *
     * @param id the token's number.
     * @param username the sub-account it belongs to, if not the caller.
     */
    @JvmOverloads
    public fun delete(id: Long, username: String? = null): Unit = calls.make { tokensDelete(id, username) }
}
