from kmslint.app import check_policy as check_policy
from kmslint.app import load_rules as load_rules
from kmslint.app import scan_keys as scan_keys
from kmslint.asking import ask as ask
from kmslint.difference import diff as diff
from kmslint.model.key import Key as Key
from kmslint.model.result import Report as Report
from kmslint.model.result import Result as Result
from kmslint.model.settings import Settings as Settings
from kmslint.policy.request import Request as Request

__version__: str
