"""Table ``medical_insurance`` of the settings: this provider's place in the national interface."""

import msgspec


class MedicalInsuranceRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The hospital's place in the national medical insurance interface, and what its region does differently."""

    institution_code: str = "H99000100001"  # fixmedins_code: twelve characters, they begin every message id
    institution_name: str = "示例市人民医院"
    place: str = "990001"  # mdtrtarea_admvs, division where treatment takes place
    receiving_system: str = "YBXT"  # recer_sys_code, regional
    version: str = "V1.0"  # infver
    path: str = "/fsi/api"  # of the gateway; the message says by itself which one it is
    serial_first: int = 1  # the terminal's share of the institution's message serials (money-rules 4)
    serial_last: int = 9999
    forwarder_serials: int = 1000  # the last so many of the share are its forwarder's
    insurance_codes: tuple[str, ...] = ("310", "390")  # insutype, the first one in force settles
    tolerance_fen_per_line: int = 1  # regions round differently (identities of amounts)
    unknown_codes: tuple[str, ...] = ()  # infcodes by which a region's platform says "I do not know" instead of "no"
    sign_on_codes: tuple[str, ...] = ()  # infcodes that mean: sign on again
    mac_address: str = ""
    ip_address: str = ""
    signing: str = "front_end"  # front_end | gateway | sm; a key held here exists only in the sandbox (money-rules 31)
    signing_id: str = ""  # x-tif-paasid, or appCode
    signing_secret: str = ""
    signing_private_key: str = ""  # PEM file, SM2; empty: the sm family signs by SM3
    platform_public_key: str = ""  # PEM file, SM2


def medical_insurance_rules(medical: MedicalInsuranceRules) -> list[tuple[bool, str]]:
    """What must hold of the table."""
    return [
        (len(medical.institution_code) == 12, "medical_insurance.institution_code has twelve characters"),
        (
            0 <= medical.serial_first <= medical.serial_last <= 9999,
            "medical_insurance serials lie between 0 and 9999",
        ),
        (
            medical.serial_first <= medical.serial_last - medical.forwarder_serials < medical.serial_last,
            "medical_insurance.forwarder_serials leaves serials for both the forwarder and the kiosk",
        ),
        (medical.signing in ("front_end", "gateway", "sm"), "medical_insurance.signing is front_end, gateway or sm"),
    ]
