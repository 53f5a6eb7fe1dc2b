"""Five short handbooks with sections, tables and questions, to be written in every format."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Section:
    """A heading with its paragraphs, or with the rows of a table."""

    heading: str
    paragraphs: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Handbook:
    """A document of several sections; each is a page, a slide or a chapter in formats that have them.

    Attributes:
        questions: question, answer, and number of the section that has it, from 1.
    """

    name: str
    title: str
    sections: tuple[Section, ...]
    questions: tuple[tuple[str, str, int], ...]


HANDBOOKS = (
    Handbook(
        "ferry",
        "Handbook of the Skarvoy ferry",
        (
            Section(
                "Tickets",
                (
                    "Tickets are sold on board. A return ticket is valid for eleven days after the crossing.",
                    "Residents of the island show their blue card and travel free of charge in winter.",
                ),
            ),
            Section(
                "Luggage",
                (
                    "Each passenger may carry two bags. Bicycles are stored on the aft deck and cost 25 crowns.",
                    "Dogs must be kept on a leash below deck.",
                ),
            ),
            Section(
                "Fares",
                rows=(
                    ("Route", "Adult fare", "Child fare"),
                    ("Skarvoy to Brenna", "84 crowns", "42 crowns"),
                    ("Skarvoy to Lomvik", "126 crowns", "63 crowns"),
                    ("Brenna to Lomvik", "58 crowns", "29 crowns"),
                ),
            ),
        ),
        (
            ("How long is a return ticket valid?", "eleven days", 1),
            ("Where are bicycles stored?", "on the aft deck", 2),
            ("What is the adult fare from Skarvoy to Lomvik?", "126 crowns", 3),
        ),
    ),
    Handbook(
        "pump",
        "Manual of the Halden 40 water pump",
        (
            Section(
                "Oiling",
                (
                    "The main bearing is oiled every six weeks with grade 32 oil.",
                    "Wipe the rod with a dry cloth before you oil it.",
                ),
            ),
            Section(
                "Faults",
                (
                    "If the pump draws air, tighten the flange on the suction side.",
                    "A loud knocking means that the valve plate is worn. It is replaced after 9,000 hours.",
                ),
            ),
            Section(
                "Spare parts",
                rows=(
                    ("Part", "Order number", "Price"),
                    ("Valve plate", "VP-2210", "380 euros"),
                    ("Drive belt", "DB-1045", "46 euros"),
                    ("Suction hose", "SH-0917", "72 euros"),
                ),
            ),
        ),
        (
            ("How often is the main bearing oiled?", "every six weeks", 1),
            ("What does a loud knocking mean?", "the valve plate is worn", 2),
            ("What is the order number of the drive belt?", "DB-1045", 3),
        ),
    ),
    Handbook(
        "lease",
        "Lease of the Mill House",
        (
            Section(
                "Term",
                (
                    "The lease begins on 1 March 2024 and runs for thirty-six months.",
                    "Either party may end it with a notice of ninety days.",
                ),
            ),
            Section(
                "Deposit",
                (
                    "The tenant pays a deposit of 5,400 euros before the keys are handed over.",
                    "The deposit is kept in an account at the Kestrel Savings Bank.",
                ),
            ),
            Section(
                "Charges",
                rows=(
                    ("Charge", "Amount", "Due"),
                    ("Rent", "1,800 euros", "on the first of the month"),
                    ("Heating", "210 euros", "on the tenth of the month"),
                    ("Water", "35 euros", "at the end of the quarter"),
                ),
            ),
        ),
        (
            ("When does the lease begin?", "1 March 2024", 1),
            ("Where is the deposit kept?", "Kestrel Savings Bank", 2),
            ("What is the amount of the charge for heating?", "210 euros", 3),
        ),
    ),
    Handbook(
        "library",
        "Rules of the Tarnwick library",
        (
            Section(
                "Membership",
                (
                    "Anyone over the age of twelve may join. A member's card is renewed every four years.",
                    "The librarian, Ines Tolland, issues the cards at the front desk.",
                ),
            ),
            Section(
                "Loans",
                (
                    "A member may borrow up to fifteen books for three weeks.",
                    "Maps and newspapers are read in the reading room and are not lent.",
                ),
            ),
            Section(
                "Opening hours",
                rows=(
                    ("Day", "Opens", "Closes"),
                    ("Tuesday", "10:00", "18:30"),
                    ("Thursday", "12:15", "20:00"),
                    ("Saturday", "09:30", "13:45"),
                ),
            ),
        ),
        (
            ("Who issues the cards?", "Ines Tolland", 1),
            ("How many books may a member borrow?", "up to fifteen", 2),
            ("When does the library close on Saturday?", "13:45", 3),
        ),
    ),
    Handbook(
        "laboratory",
        "Safety in the Orrin laboratory",
        (
            Section(
                "Spills",
                (
                    "Cover a spill of acid with soda ash and wait for ten minutes.",
                    "Report every spill to the safety officer, Per Lind, on extension 4471.",
                ),
            ),
            Section(
                "Gloves",
                (
                    "Wear nitrile gloves when you handle solvents. Gloves are changed every two hours.",
                    "Used gloves are thrown into the yellow bin.",
                ),
            ),
            Section(
                "Solvents",
                rows=(
                    ("Solvent", "Flash point", "Cabinet"),
                    ("Acetone", "-20 degrees", "cabinet C"),
                    ("Toluene", "4 degrees", "cabinet D"),
                    ("Xylene", "27 degrees", "cabinet F"),
                ),
            ),
        ),
        (
            ("What is a spill of acid covered with?", "soda ash", 1),
            ("How often are gloves changed?", "every two hours", 2),
            ("What is the flash point of toluene?", "4 degrees", 3),
        ),
    ),
)
