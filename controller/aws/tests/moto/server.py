"""moto's server, with the one trait of AWS that the reader stands on and moto lacks: it gives every database the same
DbiResourceId, where AWS gives each its own. A replica is a copy of its source there, so it needs one too."""
import random
import string
import sys

from moto.rds.models import DBInstance
from moto.server import main


def with_an_id_of_its_own(make):
    def made(self, *args, **kwargs):
        answer = make(self, *args, **kwargs)
        self.dbi_resource_id = "db-" + "".join(random.choices(string.ascii_uppercase + string.digits, k=26))
        return answer

    return made


DBInstance.__init__ = with_an_id_of_its_own(DBInstance.__init__)
DBInstance.set_as_replica = with_an_id_of_its_own(DBInstance.set_as_replica)
sys.exit(main())
