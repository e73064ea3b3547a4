package com.proxymesh

/** Sub-accounts: create, limit, watch, delete. For the parent account only. From [Client.subAccounts]. */
public class SubAccounts internal constructor(private val calls: Calls) {
    /**
     * Creates a sub-account: `POST /api/sub/create/`. It is never sent twice.
     *
     * @param username 1 to 30 letters, digits and `.` `@` `+` `-` `_`.
     * @param password 1 to 128 characters.
     * @param firstName at most 20 characters.
     * @param lastName at most 20 characters.
     * @param email at most 255 characters.
     * @param monthlyLimit whole gigabytes it may use in a billing period; 0 is no limit.
     * @param totalLimit whole gigabytes it may use ever; 0 is no limit.
     * @throws BadRequestException the username is taken.
     * @throws PlanLimitException the plan allows no more.
     * @throws OutcomeUnknownException no answer came; [get] tells whether it was created.
     */
    public suspend fun create(
        username: String,
        password: String? = null,
        firstName: String? = null,
        lastName: String? = null,
        email: String? = null,
        monthlyLimit: Long? = null,
        totalLimit: Long? = null,
    ): SubAccount =
        calls.make {
            subAccountsCreate(username, fields(password, firstName, lastName, email, monthlyLimit, totalLimit)).translated()
        }

    /**
     * Changes what is given, and nothing else: `POST /api/sub/edit/`. An empty text clears a name or e-mail address.
     *
     * @param username an existing sub-account.
     * @param password 1 to 128 characters.
     * @param firstName at most 20 characters.
     * @param lastName at most 20 characters.
     * @param email at most 255 characters.
     * @param monthlyLimit whole gigabytes it may use in a billing period; 0 is no limit.
     * @param totalLimit whole gigabytes it may use ever; 0 is no limit.
     * @throws NotFoundException there is no such sub-account.
     * @throws PermissionDeniedException it is not yours.
     */
    public suspend fun edit(
        username: String,
        password: String? = null,
        firstName: String? = null,
        lastName: String? = null,
        email: String? = null,
        monthlyLimit: Long? = null,
        totalLimit: Long? = null,
    ): SubAccount =
        calls.make {
            subAccountsEdit(username, fields(password, firstName, lastName, email, monthlyLimit, totalLimit)).translated()
        }

    /**
     * A sub-account with its usage and limits: `GET /api/sub/get/`.
     *
     * @param username the sub-account.
     * @throws NotFoundException there is no such sub-account.
     * @throws PermissionDeniedException it is not yours.
     */
    public suspend fun get(username: String): SubAccount = calls.make { subAccountsGet(username).translated() }

    /**
     * Lets it use the proxies again: `POST /api/sub/activate/`.
     *
     * @param username the sub-account.
     * @throws NotFoundException there is no such sub-account.
     * @throws PermissionDeniedException it is not yours.
     */
    public suspend fun activate(username: String): SubAccount =
        calls.make { subAccountsActivate(username).translated() }

    /**
     * Stops it from using the proxies, which then answer it 402: `POST /api/sub/deactivate/`.
     *
     * @param username the sub-account.
     * @throws NotFoundException there is no such sub-account.
     * @throws PermissionDeniedException it is not yours.
     */
    public suspend fun deactivate(username: String): SubAccount =
        calls.make { subAccountsDeactivate(username).translated() }

    /**
     * Deletes it for good: `POST /api/sub/delete/`.
     *
     * @param username the sub-account.
     * @throws NotFoundException there is no such sub-account.
     * @throws PermissionDeniedException it is not yours.
     */
    public suspend fun delete(username: String): Unit = calls.make { subAccountsDelete(username) }
}

/** Sub-accounts: create, limit, watch, delete. For the parent account only. From [BlockingClient.subAccounts]. */
public class BlockingSubAccounts internal constructor(private val calls: BlockingCalls) {
    /**
     * Creates a sub-account: `POST /api/sub/create/`. It is never sent twice.
     *
     * @param username 1 to 30 letters, digits and `.` `@` `+` `-` `_`.
     * @param password 1 to 128 characters.
     * @param firstName at most 20 characters.
     * @param lastName at most 20 characters.
     * @param email at most 255 characters.
     * @param monthlyLimit whole gigabytes it may use in a billing period; 0 is no limit.
     * @param totalLimit whole gigabytes it may use ever; 0 is no limit.
     * @throws BadRequestException the username is taken.
     * @throws PlanLimitException the plan allows no more.
     * @throws OutcomeUnknownException no answer came; [get] tells whether it was created.
     */
    @JvmOverloads
    public fun create(
        username: String,
        password: String? = null,
        firstName: String? = null,
        lastName: String? = null,
        email: String? = null,
        monthlyLimit: Long? = null,
        totalLimit: Long? = null,
    ): SubAccount =
        calls.make {
            subAccountsCreate(username, fields(password, firstName, lastName, email, monthlyLimit, totalLimit)).translated()
        }

    /** Creates a sub-account with these fields, for Java, which has no named arguments; see the other [create]. */
    public fun create(username: String, fields: SubAccountFields): SubAccount =
        calls.make { subAccountsCreate(username, fields.crossing()).translated() }

    /**
     * Changes what is given, and nothing else: `POST /api/sub/edit/`. An empty text clears a name or e-mail address.
     *
     * @param username an existing sub-account.
     * @param password 1 to 128 characters.
     * @param firstName at most 20 characters.
     * @param lastName at most 20 characters.
     * @param email at most 255 characters.
     * @param monthlyLimit whole gigabytes it may use in a billing period; 0 is no limit.
     * @param totalLimit whole gigabytes it may use ever; 0 is no limit.
     * @throws NotFoundException there is no such sub-account.
     * @throws PermissionDeniedException it is not yours.
     */
    @JvmOverloads
    public fun edit(
        username: String,
        password: String? = null,
        firstName: String? = null,
        lastName: String? = null,
        email: String? = null,
        monthlyLimit: Long? = null,
        totalLimit: Long? = null,
    ): SubAccount =
        calls.make {
            subAccountsEdit(username, fields(password, firstName, lastName, email, monthlyLimit, totalLimit)).translated()
        }

    /** Changes these fields, and nothing else, for Java, which has no named arguments; see the other [edit]. */
    public fun edit(username: String, fields: SubAccountFields): SubAccount =
        calls.make { subAccountsEdit(username, fields.crossing()).translated() }

    /**
     * A sub-account with its usage and limits: `GET /api/sub/get/`.
     *
     * @param username the sub-account.
     * @throws NotFoundException there is no such sub-account.
     * @throws PermissionDeniedException it is not yours.
     */
    public fun get(username: String): SubAccount = calls.make { subAccountsGet(username).translated() }

    /**
     * Lets it use the proxies again: `POST /api/sub/activate/`.
     *
     * @param username the sub-account.
     * @throws NotFoundException there is no such sub-account.
     * @throws PermissionDeniedException it is not yours.
     */
    public fun activate(username: String): SubAccount = calls.make { subAccountsActivate(username).translated() }

    /**
     * Stops it from using the proxies, which then answer it 402: `POST /api/sub/deactivate/`.
     *
     * @param username the sub-account.
     * @throws NotFoundException there is no such sub-account.
     * @throws PermissionDeniedException it is not yours.
     */
    public fun deactivate(username: String): SubAccount = calls.make { subAccountsDeactivate(username).translated() }

    /**
     * Deletes it for good: `POST /api/sub/delete/`.
     *
     * @param username the sub-account.
     * @throws NotFoundException there is no such sub-account.
     * @throws PermissionDeniedException it is not yours.
     */
    public fun delete(username: String): Unit = calls.make { subAccountsDelete(username) }
}
