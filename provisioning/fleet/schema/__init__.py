"""Every table of the fleet, in the order in which they are made."""

from provisioning.fleet.schema.alerts import Alert, AlertRule, Delivery, Route, Silence
from provisioning.fleet.schema.audit import AuditHead, AuditRow
from provisioning.fleet.schema.base import Row
from provisioning.fleet.schema.calls import StaffCall
from provisioning.fleet.schema.chores import Lease
from provisioning.fleet.schema.commands import Command
from provisioning.fleet.schema.desired import DesiredCounter, SettingsBody, SettingsLayer
from provisioning.fleet.schema.enrolment import (
    ClaimKey,
    EnrolmentRequest,
    ExpectedTerminal,
    LateRenewal,
    Presence,
    UsedClaim,
)
from provisioning.fleet.schema.epoch import FleetDocument
from provisioning.fleet.schema.keys import KeyLoad
from provisioning.fleet.schema.ledger import (
    Board,
    CaseMoney,
    CountedBoards,
    KeptPeriod,
    KeptRow,
    LedgerAlert,
    Newcomer,
    PaperRow,
)
from provisioning.fleet.schema.machines import ApiClient
from provisioning.fleet.schema.people import Grant, Invitation, Lane, Person, Session
from provisioning.fleet.schema.places import Place, Tenant
from provisioning.fleet.schema.proposals import Proposal
from provisioning.fleet.schema.rollouts import Member, Rollout, Wave
from provisioning.fleet.schema.software import (
    Action,
    ActionStatus,
    Artifact,
    DistributionSet,
    SetModule,
    SoftwareModule,
    SoftwareType,
    TerminalAttribute,
    TerminalSoftware,
)
from provisioning.fleet.schema.terminals import Certificate, Terminal, TerminalEvent, TerminalHealth
from provisioning.fleet.schema.trust import TrustList

TABLES: tuple[type[Row], ...] = (
    Tenant,
    Place,
    Terminal,
    Certificate,
    TerminalHealth,
    TerminalEvent,
    EnrolmentRequest,
    ExpectedTerminal,
    ClaimKey,
    UsedClaim,
    LateRenewal,
    Presence,
    Person,
    Grant,
    Session,
    Lane,
    Invitation,
    Proposal,
    AuditHead,
    AuditRow,
    Board,
    KeptRow,
    KeptPeriod,
    CaseMoney,
    CountedBoards,
    PaperRow,
    LedgerAlert,
    Newcomer,
    SoftwareType,
    SoftwareModule,
    Artifact,
    DistributionSet,
    SetModule,
    Action,
    ActionStatus,
    TerminalSoftware,
    TerminalAttribute,
    ApiClient,
    DesiredCounter,
    SettingsLayer,
    SettingsBody,
    Command,
    Rollout,
    Wave,
    Member,
    AlertRule,
    Alert,
    Silence,
    Route,
    Delivery,
    Lease,
    StaffCall,
    FleetDocument,
    TrustList,
    KeyLoad,
)
