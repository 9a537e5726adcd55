# SPDX-License-Identifier: MIT
"""The objects of Discord's API v10 as its documents describe them: plain dictionaries, ids are strings.

Fields that no version of discord.py from 2.2 on looks at are left out.
"""
import datetime
import time

DISCORD_EPOCH_MS = 1420070400000

APPLICATION_ID = "100000000000000001"
GUILD_ID = "200000000000000001"
CHANNEL_ID = "300000000000000001"
JOINED_AT = "2024-01-01T00:00:00.000000+00:00"


def user(user_id, name, bot=False):
    return {
        "id": user_id, "username": name, "discriminator": "0", "global_name": None, "avatar": None,
        "bot": bot, "public_flags": 0,
    }


OWNER = user("400000000000000001", "owner")
BOT_USER = user("400000000000000002", "leaky", bot=True)
AUTHORS = [user(str(400000000000000010 + i), f"author{i}") for i in range(12)]


def self_user():
    return {**BOT_USER, "verified": True, "mfa_enabled": False, "email": None, "locale": "en-US", "flags": 0}


def application():
    return {
        "id": APPLICATION_ID, "name": "leaky", "description": "", "icon": None, "rpc_origins": [],
        "bot_public": False, "bot_require_code_grant": False, "owner": OWNER, "team": None,
        "verify_key": "0" * 64, "flags": 0,
    }


def gateway_bot(url):
    return {
        "url": url, "shards": 1,
        "session_start_limit": {"total": 1000, "remaining": 999, "reset_after": 0, "max_concurrency": 1},
    }


def member_fields():
    return {
        "nick": None, "avatar": None, "roles": [], "joined_at": JOINED_AT, "premium_since": None,
        "deaf": False, "mute": False, "flags": 0, "pending": False, "communication_disabled_until": None,
    }


def ready(session_id, gateway_url):
    return {
        "v": 10, "user": self_user(), "guilds": [{"id": GUILD_ID, "unavailable": True}], "private_channels": [],
        "session_id": session_id, "resume_gateway_url": gateway_url, "shard": [0, 1],
        "application": {"id": APPLICATION_ID, "flags": 0},
    }


def guild():
    # The role @everyone carries the id of its guild.
    everyone = {
        "id": GUILD_ID, "name": "@everyone", "color": 0, "hoist": False, "icon": None, "unicode_emoji": None,
        "position": 0, "permissions": "1071698660929", "managed": False, "mentionable": False, "flags": 0,
    }
    channel = {
        "id": CHANNEL_ID, "type": 0, "guild_id": GUILD_ID, "name": "general", "position": 0, "topic": None,
        "nsfw": False, "parent_id": None, "permission_overwrites": [], "rate_limit_per_user": 0,
        "last_message_id": None, "flags": 0,
    }
    members = [{**member_fields(), "user": member} for member in (OWNER, BOT_USER, *AUTHORS)]
    return {
        "id": GUILD_ID, "name": "A guild", "owner_id": OWNER["id"], "icon": None, "splash": None, "banner": None,
        "afk_channel_id": None, "afk_timeout": 300, "verification_level": 0, "default_message_notifications": 0,
        "explicit_content_filter": 0, "mfa_level": 0, "nsfw_level": 0, "premium_tier": 0, "features": [],
        "preferred_locale": "en-US", "system_channel_id": None, "system_channel_flags": 0,
        "unavailable": False, "large": False, "joined_at": JOINED_AT, "member_count": len(members),
        "roles": [everyone], "emojis": [], "stickers": [], "channels": [channel], "threads": [],
        "members": members, "presences": [], "voice_states": [], "stage_instances": [],
        "guild_scheduled_events": [], "soundboard_sounds": [],
    }


def message(number):
    """Message `number` of this run; the number keeps ids apart that are made in the same millisecond."""
    now = datetime.datetime.now(datetime.timezone.utc)
    snowflake = (int(time.time() * 1000) - DISCORD_EPOCH_MS) << 22 | number & 0x3FFFFF
    return {
        "id": str(snowflake), "channel_id": CHANNEL_ID, "guild_id": GUILD_ID, "type": 0,
        "author": AUTHORS[number % len(AUTHORS)], "member": member_fields(), "content": f"message number {number}",
        "timestamp": now.isoformat(), "edited_timestamp": None, "tts": False, "mention_everyone": False,
        "mentions": [], "mention_roles": [], "attachments": [], "embeds": [], "components": [], "pinned": False,
        "flags": 0,
    }
