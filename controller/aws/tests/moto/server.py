"""moto's server, with the two traits of AWS that the reader stands on and moto lacks. It gives every database the same
DbiResourceId, where AWS gives each its own; a replica is a copy of its source there, so it needs one too. And its CloudWatch
does not speak CBOR."""
import random
import string
import sys

from moto.moto_server.werkzeug_app import DomainDispatcherApplication
from moto.rds.models import DBInstance
from moto.server import main

from cbor import spoken


def with_an_id_of_its_own(make):
    def made(self, *args, **kwargs):
        answer = make(self, *args, **kwargs)
        self.dbi_resource_id = "db-" + "".join(random.choices(string.ascii_uppercase + string.digits, k=26))
        return answer

    return made


DBInstance.__init__ = with_an_id_of_its_own(DBInstance.__init__)
DBInstance.set_as_replica = with_an_id_of_its_own(DBInstance.set_as_replica)
DomainDispatcherApplication.__call__ = spoken(DomainDispatcherApplication.__call__)
sys.exit(main())
