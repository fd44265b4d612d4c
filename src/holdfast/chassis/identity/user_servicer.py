"""Users over gRPC."""

from holdfast.chassis import callers, times
from holdfast.chassis.grpc.admission import TooMuch
from holdfast.chassis.grpc.rpc_boundary import Context
from holdfast.chassis.identity import passwords
from holdfast.chassis.identity.gate import tell_refusal
from holdfast.chassis.identity.refusals import Unauthenticated
from holdfast.chassis.identity.servicer import checked_grants, message_of, refuse_taken
from holdfast.chassis.identity.user_store import User
from holdfast.chassis.identity.users import Users, WrongPassword
from holdfast.chassis.validation import Violations
from holdfast.contracts.identity.v1 import users_pb2 as pb
from holdfast.contracts.identity.v1 import users_pb2_grpc

NAME_LENGTH_MAX = 64
DEVICE_LENGTH_MAX = 200
SIGN_IN = "holdfast.identity.v1.UserService/SignIn"


class UserServicer(users_pb2_grpc.UserServiceServicer):
    """Signs people in and out, and keeps them."""

    def __init__(self, users: Users) -> None:
        self._users = users

    async def SignIn(self, request: pb.SignInRequest, context: Context) -> pb.SignInResponse:
        violations = Violations()
        name = _name(request.name.strip().lower(), violations)
        _typed("password", request.password, violations)
        if len(request.device) > DEVICE_LENGTH_MAX:
            violations.add("device", f"has more than {DEVICE_LENGTH_MAX} characters")
        violations.raise_any()
        address = callers.address_of(context.peer())
        try:
            found = await self._users.sign_in(name, request.password, request.device, address)
        except WrongPassword as refused:
            tell_refusal("SIGN_IN_REFUSED", SIGN_IN, context, name=refused.name)
            raise Unauthenticated("SIGN_IN_REFUSED", str(refused)) from None
        except TooMuch as refused:
            tell_refusal(refused.reason, SIGN_IN, context)
            raise
        return pb.SignInResponse(key=message_of(found.key), text=found.text, device=found.device)

    async def SignOut(self, request: pb.SignOutRequest, context: Context) -> pb.SignOutResponse:
        await self._users.sign_out()
        return pb.SignOutResponse()

    async def ChangePassword(self, request: pb.ChangePasswordRequest, context: Context) -> pb.User:
        violations = Violations()
        _typed("old_password", request.old_password, violations)
        name = callers.current.get()
        passwords.check(violations, "new_password", request.new_password, name)
        violations.raise_any()
        return user_message(
            await self._users.change_own(request.old_password, request.new_password)
        )

    async def CreateUser(self, request: pb.CreateUserRequest, context: Context) -> pb.User:
        violations = Violations()
        name = _name(request.name, violations)
        if name != name.lower():
            violations.add("name", f"must be in lower case: {name.lower()}")
        refuse_taken(name, violations)
        grants = checked_grants(request.grants, violations)
        passwords.check(violations, "password", request.password, name)
        violations.raise_any()
        return user_message(await self._users.create(name, grants, request.password))

    async def ListUsers(
        self, request: pb.ListUsersRequest, context: Context
    ) -> pb.ListUsersResponse:
        return pb.ListUsersResponse(users=map(user_message, await self._users.all()))

    async def UpdateUser(self, request: pb.UpdateUserRequest, context: Context) -> pb.User:
        violations = Violations()
        name = _name(request.name, violations)
        grants = checked_grants(request.grants, violations) if request.grants else ()
        if request.password:
            passwords.check(violations, "password", request.password, name)
        locked = request.locked if request.HasField("locked") else None
        if not grants and not request.password and locked is None:
            violations.add("grants", "is missing, as are password and locked: nothing is to change")
        violations.raise_any()
        return user_message(await self._users.update(name, grants, request.password, locked))

    async def DeleteUser(self, request: pb.DeleteUserRequest, context: Context) -> pb.User:
        violations = Violations()
        name = _name(request.name, violations)
        violations.raise_any()
        return user_message(await self._users.delete(name))


def user_message(user: User) -> pb.User:
    """Write a user as people see them."""
    message = pb.User(name=user.name, grants=user.grants)
    for stamp, at in (
        (message.create_time, user.created_at),
        (message.lock_time, user.locked_at),
        (message.sign_in_time, user.signed_in_at),
        (message.password_time, user.password_at),
    ):
        if at is not None:
            times.write(stamp, at)
    return message


def _name(name: str, violations: Violations) -> str:
    return violations.id("name", name, characters_max=NAME_LENGTH_MAX)


def _typed(field: str, password: str, violations: Violations) -> None:
    """Check a password that is to be right: that it can be one is no matter."""
    if not password:
        violations.add(field, "is missing")
    elif len(password) > passwords.LENGTH_MAX:
        violations.add(field, f"has more than {passwords.LENGTH_MAX} characters")
